/*
 * imgsearch model pull: fetches the files of a published model into a folder of the cache, and adds
 * them from there. Files that have come stay in that folder until the model is added, so that the
 * next run goes on. No other command fetches anything.
 */
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/base/text.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"
#include "cli/fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct pull_args {
	common_args common;
	const char *from;
	uint32_t accept, timeout;
} pull_args;

#define AT(member) offsetof(pull_args, member)
static const option options[] = {
	{ "accept-licence", 0, OPT_FLAG, AT(accept),
		.help = "accept a licence that restricts what the model may be used for" },
	{ "from", 0, OPT_TEXT, AT(from), "URL",
		.help = "a mirror: what follows https:// in an address is looked for below URL" },
	{ "timeout", 0, OPT_UINT, AT(timeout), "S",
		.help = "give up a server that sends nothing for S seconds", .min = 1, .max = 86400,
		.def = "60" },
	OPT_END,
};

typedef struct pull {
	context *c;
	const pull_args *args;
	const char *name;
	const imgsearch_model *m;
	char *folder;
	int lock;
	fetch_file *file; /* m->n_files */
	char **url, **path;
	size_t at; /* the file at work */
	int rc;
} pull;

/* --------------------------------------------------------------------------- what is said ---- */

static uint64_t total_bytes(const imgsearch_model *m)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < m->n_files; i++) {
		if (!m->files[i]->bytes)
			return 0;
		bytes += m->files[i]->bytes;
	}
	return bytes;
}

static void say_source(const pull *p)
{
	char size[TEXT_SIZE];
	uint64_t bytes = total_bytes(p->m);
	context_print(p->c, "%s: %s, licence %s, %s%s%s from %s", p->name,
		p->m->publisher ? p->m->publisher : "unknown publisher",
		p->m->licence ? p->m->licence : "unknown",
		bytes ? text_size(size, bytes) : "size not stated", p->m->n_files > 1 ? " in files" : "",
		p->args->from ? "," : "", p->url[0]);
	if (p->m->terms)
		context_print(p->c, "%s: its licence restricts use: %s", p->name, p->m->terms);
}

/* Why the model cannot be pulled; CLI_DONE: it can. */
static int check_model(const pull *p)
{
	const imgsearch_model *m = p->m;
	if (!m->n_files || !m->publisher)
		return cli_fail("%s: no weights of it are published here; bring a file with --weights, or "
						"with imgsearch model add",
			p->name);
	for (size_t i = 0; i < m->n_files; i++)
		if (!m->files[i]->url)
			return cli_fail("%s: no address of %s is known", p->name, m->files[i]->name);
	if (!fetch_possible())
		return cli_fail("%s: libcurl is not installed (Debian: libcurl4t64, in 12 libcurl4); or "
						"download %s, then: imgsearch model add --name %s FILE",
			p->name, m->files[0]->url, p->name);
	return CLI_DONE;
}

/* ------------------------------------------------------------------------------ the folder ---- */

static int make_folder(pull *p)
{
	char *cache = path_in_cache("pull");
	p->folder = cache ? path_join(cache, p->name) : NULL;
	if (!cache)
		return cli_fail("no folder for what is fetched: neither XDG_CACHE_HOME nor HOME is set");
	mkdir(cache, 0700);
	free(cache);
	if (!p->folder)
		return cli_nomem();
	if ((mkdir(p->folder, 0700) && errno != EEXIST)
		|| (p->lock = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return cli_fail("%s: %s", p->folder, strerror(errno));
	if (flock(p->lock, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? cli_fail("%s: another imgsearch is pulling it", p->name)
									: cli_fail("%s: %s", p->folder, strerror(errno));
	return CLI_DONE;
}

/* What is here of file i already. */
static uint64_t bytes_here(const pull *p, size_t i)
{
	struct stat st;
	char *part = path_join(p->folder, p->m->files[i]->name), *end = NULL;
	if (!part || stat(part, &st)) {
		if (!part || asprintf(&end, "%s.part", part) < 0)
			end = NULL;
		if (!end || stat(end, &st))
			st.st_size = 0;
	}
	free(part);
	free(end);
	return (uint64_t)st.st_size;
}

static int check_room(const pull *p)
{
	struct statvfs v;
	uint64_t missing = 0;
	char need[TEXT_SIZE], room[TEXT_SIZE];
	for (size_t i = 0; i < p->m->n_files; i++) {
		uint64_t all = p->m->files[i]->bytes, here = bytes_here(p, i);
		missing += all > here ? all - here : 0;
	}
	if (fstatvfs(p->lock, &v) || missing <= (uint64_t)v.f_bavail * v.f_frsize)
		return CLI_DONE;
	return cli_fail("%s: no room: %s are missing, and %s are free", p->folder,
		text_size(need, missing), text_size(room, (uint64_t)v.f_bavail * v.f_frsize));
}

static void delete_files(const pull *p)
{
	static const char *const ends[] = { "", ".part", ".tag", ".stated" };
	char *path;
	for (size_t i = 0; i < p->m->n_files; i++)
		for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
			if (p->path[i] && asprintf(&path, "%s%s", p->path[i], ends[k]) >= 0) {
				unlink(path);
				free(path);
			}
	rmdir(p->folder);
}

/* -------------------------------------------------------------------------------- fetching ---- */

static char *address(const pull *p, const char *url)
{
	char *out = NULL;
	const char *rest = strstr(url, "://");
	if (!p->args->from)
		return strdup(url);
	size_t n = strlen(p->args->from);
	while (n && p->args->from[n - 1] == '/')
		n--;
	return asprintf(&out, "%.*s/%s", (int)n, p->args->from, rest ? rest + 3 : url) < 0 ? NULL : out;
}

static int set_files(pull *p)
{
	size_t n = p->m->n_files;
	p->file = calloc(n + 1, sizeof *p->file);
	p->url = calloc(n + 1, sizeof *p->url);
	p->path = calloc(n + 1, sizeof *p->path);
	if (!p->file || !p->url || !p->path)
		return cli_nomem();
	for (size_t i = 0; i < n; i++) {
		const imgsearch_model_file *f = p->m->files[i];
		p->url[i] = address(p, f->url);
		p->path[i] = path_join(p->folder, f->name);
		if (!p->url[i] || !p->path[i])
			return cli_nomem();
		p->file[i] = (fetch_file){ .url = p->url[i],
			.path = p->path[i],
			.bytes = f->bytes,
			.bytes_off = f->bytes_off,
			.sha256 = f->sha256_from ? f->sha256 : NULL,
			.timeout = p->args->timeout };
	}
	return CLI_DONE;
}

/* The bar counts megabytes. */
static int show(void *user, uint64_t done, uint64_t total)
{
	pull *p = user;
	imgsearch_progress now = { .stage = "pull, MB",
		.path = p->m->files[p->at]->name,
		.done = done / 1000000,
		.total = total / 1000000 };
	now.loss = now.accuracy = __builtin_nan("");
	if (done)
		progress_show(p->c->progress, &now);
	return interrupt_pending();
}

static int fetch_files(pull *p)
{
	int rc = CLI_DONE;
	for (p->at = 0; !rc && p->at < p->m->n_files; p->at++)
		rc = fetch_run(&p->file[p->at], show, p);
	progress_clear(p->c->progress);
	return rc;
}

/* ---------------------------------------------------------------------------------- adding ---- */

/* Errors that another run may not meet: what has come stays. */
static bool may_pass(const imgsearch_error *err)
{
	return err->detail == ELIBACC || err->code == IMGSEARCH_ECANCELED || err->code == IMGSEARCH_EIO
		|| err->code == IMGSEARCH_EBUSY || err->code == IMGSEARCH_ENOMEM;
}

static void say_hash(const pull *p, size_t i)
{
	const fetch_file *f = &p->file[i];
	context_print(p->c, "%s: SHA-256 %s, %s", p->m->files[i]->name, f->got_sha256,
		f->sha256                 ? "as the publisher states"
			: f->server_sha256[0] ? "as the server states; recorded"
								  : "which nobody states; recorded");
}

static int add(pull *p)
{
	size_t n = p->m->n_files;
	imgsearch_error err;
	imgsearch_model_file *file = calloc(n + 1, sizeof *file);
	const imgsearch_model_file **items = calloc(n + 1, sizeof *items);
	imgsearch_model_add_options o = IMGSEARCH_INIT(imgsearch_model_add_options);
	int rc = file && items ? CLI_DONE : cli_nomem();
	for (size_t i = 0; !rc && i < n; i++) {
		file[i] = *p->m->files[i];
		if (!p->file[i].sha256 && p->file[i].server_sha256[0]) {
			file[i].sha256 = p->file[i].server_sha256;
			file[i].sha256_from = "the server";
		}
		items[i] = &file[i];
	}
	o.files = items;
	o.n_files = n;
	o.link = 1;
	if (!rc && imgsearch_model_add(p->folder, p->name, &o, &p->c->call, &err)) {
		rc = context_error(p->c, &err);
		if (!may_pass(&err))
			delete_files(p);
	} else if (!rc) {
		for (size_t i = 0; i < n; i++)
			say_hash(p, i);
		delete_files(p);
		context_print(p->c, "%s: here; use it with --model %s", p->name, p->name);
	}
	free(file);
	free(items);
	return rc;
}

static int pull_model(pull *p)
{
	int rc = check_model(p);
	if (!rc)
		rc = make_folder(p);
	if (!rc)
		rc = set_files(p);
	if (rc)
		return rc;
	say_source(p);
	if (p->m->terms && !p->args->accept)
		return cli_fail("%s: accept its licence with --accept-licence: %s", p->name, p->m->terms);
	rc = check_room(p);
	if (!rc)
		rc = fetch_files(p);
	return rc ? rc : add(p);
}

static void free_pull(pull *p)
{
	for (size_t i = 0; i < p->m->n_files; i++) {
		if (p->url)
			free(p->url[i]);
		if (p->path)
			free(p->path[i]);
	}
	if (p->lock >= 0)
		close(p->lock);
	if (p->folder)
		rmdir(p->folder); /* if nothing came */
	free(p->file);
	free(p->url);
	free(p->path);
	free(p->folder);
}

static int pull_if_asked(void *user, const imgsearch_model *m)
{
	pull *p = user;
	if (strcmp(m->name, p->name))
		return 0;
	p->m = m;
	if (m->weights) {
		context_print(p->c, "%s is here: %s", m->name, m->weights);
		return 1;
	}
	p->rc = pull_model(p);
	free_pull(p);
	return 1;
}

static int run(context *c, void *args)
{
	pull p = { .c = c, .args = args, .name = c->operand[0], .lock = -1 };
	imgsearch_error err;
	int rc = imgsearch_model_each(pull_if_asked, &p, &err);
	if (rc < 0)
		return context_error(c, &err);
	return rc ? p.rc
			  : cli_fail("%s: no such model; `imgsearch model list --all` lists them", p.name);
}

const command cmd_model_pull = {
	.name = "model pull",
	.operands = "NAME",
	.summary = "fetch a published model from its publisher",
	.text = "Fetches the files of a model into imgsearch/models of the XDG data folder: all of "
			"them or none. Sizes and hashes that the publisher states are checked; where none is "
			"stated, what the server states is taken and recorded. Run again after an "
			"interruption, it goes on where it was. Nothing but the request for the files is sent; "
			"the proxies in http_proxy, https_proxy and no_proxy are used, and the certificates in "
			"CURL_CA_BUNDLE or SSL_CERT_FILE. A model whose licence restricts its use needs "
			"--accept-licence.\n\n"
			"\timgsearch model pull dinov2_vits14\n"
			"\timgsearch index --model dinov2_vits14 ~/Pictures",
	.options = options,
	.args_size = sizeof(pull_args),
	.run = run,
	.min_operands = 1,
	.max_operands = 1,
};
