/*
 * imgsearch serve: a local web server with a page and the JSON interface of docs/http.md. Model and
 * searcher stay in memory. `query` and `index` of the same user use it through the unix socket
 * beside the index (client/socket_path.c).
 */
#include "cli/base/address.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/client/socket_path.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"
#include "cli/serve/access_log.h"
#include "cli/serve/cached_view.h"
#include "cli/serve/collection.h"
#include "cli/serve/token.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct serve_args {
	common_args common;
	uint32_t port, max_upload, read_only, no_token;
	const char *listen, *token_file, *socket, *uploads, *cache, *access_log;
	uint64_t cache_size;
	option_list hosts, origins, proxies;
} serve_args;

#define AT(member) offsetof(serve_args, member)
static const option options[] = {
	{ "port", 'p', OPT_UINT, AT(port), "N", .help = "port to listen on; 0: any free one", .min = 0,
		.max = 65535, .def = "8080" },
	{ "listen", 0, OPT_TEXT, AT(listen), "ADDRESS",
		.help = "listen on this address instead of this machine alone" },
	{ "token-file", 0, OPT_FILE, AT(token_file), "FILE",
		.help = "requests must carry the first line of FILE (default: a random token in imgsearch/"
				"token of the user's state folder)" },
	{ "no-token", 0, OPT_FLAG, AT(no_token),
		.help = "requests need no token: every user of this machine may ask, add and delete" },
	{ "host", 0, OPT_LIST, AT(hosts), "NAME",
		.help = "also answer requests to this host name (may be repeated)" },
	{ "origin", 0, OPT_LIST, AT(origins), "URL",
		.help =
			"where browsers find the server behind a proxy, such as https://photos.example (may "
			"be repeated)" },
	{ "proxy", 0, OPT_LIST, AT(proxies), "ADDRESS",
		.help = "many clients come from this address, so its connections have no limit of their "
				"own (may be repeated)" },
	{ "socket", 0, OPT_FILE, AT(socket), "PATH",
		.help = "unix socket to listen on (default: the index's path and .sock, where query and "
				"index look for it)" },
	{ "uploads", 0, OPT_DIR, AT(uploads), "DIR",
		.help = "pictures may be added from the page; they are kept in DIR, or with \":index:\" in "
				"the index, where every server over it finds them" },
	{ "cache", 0, OPT_DIR, AT(cache), "DIR",
		.help = "keep thumbnails in DIR (default: imgsearch in the user's cache folder)" },
	{ "cache-size", 0, OPT_BYTES, AT(cache_size), "SIZE",
		.help = "keep at most SIZE of thumbnails, those that were used last", .min = 1 << 20,
		.max = 1e15, .def = "1GB" },
	{ "max-upload", 0, OPT_UINT, AT(max_upload), "MB", .help = "largest body of a request",
		.min = 1, .max = 1024, .def = "64" },
	{ "access-log", 0, OPT_FILE, AT(access_log), "FILE",
		.help = "append a line for each request to FILE, or \"-\" for standard error: neither its "
				"token nor what it asks for" },
	{ "read-only", 0, OPT_FLAG, AT(read_only),
		.help = "nothing of the index can be changed from outside" },
	OPT_END,
};

enum { WRITE_WAIT_MS = 10000 }; /* of a request that changes the index, for another one */

static const char in_index[] = ":index:"; /* of --uploads */

/* The folder that --uploads names; NULL: none. */
static const char *uploads_folder(const serve_args *a)
{
	return a->uploads && strcmp(a->uploads, in_index) ? a->uploads : NULL;
}

/* Texts to which the options of the server point. */
typedef struct serve_texts {
	char *token, *token_file, *uploads, *cache;
} serve_texts;

/* Scheme, name and perhaps a port, as browsers send it. */
static bool is_origin(const char *url)
{
	size_t scheme = !strncasecmp(url, "https://", 8) ? 8 : !strncasecmp(url, "http://", 7) ? 7 : 0;
	return scheme && url[scheme] && !strpbrk(url + scheme, "/?#@ \t");
}

static int check_args(context *c, const serve_args *a)
{
	struct stat st;
	const char *folder = uploads_folder(a);
	if (a->no_token && a->token_file)
		return command_usage(c->command, "--token-file and --no-token exclude each other");
	if (a->no_token && a->listen)
		return command_usage(c->command,
			"--listen opens the server to others, who need a token: --no-token does not go with "
			"it");
	for (size_t i = 0; i < a->origins.n; i++)
		if (!is_origin(a->origins.item[i]))
			return command_usage(c->command,
				"--origin %s: an address such as https://photos.example is needed, without a path",
				a->origins.item[i]);
	if (folder && (stat(folder, &st) || !S_ISDIR(st.st_mode) || access(folder, W_OK)))
		return cli_fail("--uploads %s: not a folder that can be written", folder);
	return CLI_DONE;
}

/* Whether the index can be written, and its folder, where SQLite puts a journal. */
static bool is_writable(const char *db)
{
	if (address_is(db)) /* the server says so when something is written */
		return true;
	char *path = path_absolute(db), *slash = path ? strrchr(path, '/') : NULL;
	bool ok = slash && !access(path, W_OK);
	if (ok) {
		slash[slash == path] = 0;
		ok = !access(path, W_OK);
	}
	free(path);
	return ok;
}

/* The token goes to a terminal alone: what else stdout is may be a log. token_file may be NULL. */
static void print_address(context *c, const server *s, const char *token_file)
{
	char address[SERVER_ADDRESS];
	server_address(s, address);
	context_print(c, "serving %s at %s (Ctrl-C ends)", context_shown(c), address);
	if (s->options.token && isatty(STDOUT_FILENO))
		printf("%s?token=%s\n", address, s->options.token);
	else
		printf("%s\n", address);
	if (token_file && !isatty(STDOUT_FILENO))
		context_print(c, "the token is in %s", token_file);
	fflush(stdout);
}

/* What the index does not allow, or lacks. */
static void look_at_index(context *c, const serve_args *a, server *s)
{
	imgsearch_error err;
	imgsearch_info *info = NULL;
	imgsearch *index = open_index_acquire(s->index, &err);
	if (!index)
		return;
	imgsearch_call call = server_call(s);
	context_tell_missing(c, index);
	if (!imgsearch_info_get(index, &call, &info, &err))
		s->index_read_only = info->read_only != 0;
	if (a->uploads && !a->read_only && s->index_read_only)
		cli_warn("--uploads: the index cannot be written, so no picture is taken");
	imgsearch_info_free(info);
	open_index_release(s->index);
}

/*
 * Searches once to load network and searcher, so that the first request is fast. Errors are left to
 * that request.
 */
static void warm_up(server *s)
{
	static const uint8_t black[3 * 16 * 16];
	imgsearch_error err = { 0 };
	imgsearch_info *info = NULL;
	imgsearch_hits *hits = NULL;
	imgsearch *index = open_index_acquire(s->index, &err);
	if (!index)
		return;
	imgsearch_call call = server_call(s);
	if (!imgsearch_info_get(index, &call, &info, &err) && info->vectors && info->model) {
		imgsearch_input in = imgsearch_input_pixels(black, 16, 16, 3 * 16);
		atomic_store(&s->model_loaded, !imgsearch_query(index, &in, 1, NULL, &call, &hits, &err));
	}
	imgsearch_hits_free(hits);
	imgsearch_info_free(info);
	open_index_release(s->index);
}

/* The parts of the server that server_start needs. */
static int prepare(context *c, const serve_args *a, server *s, serve_texts *t)
{
	imgsearch_options o = context_options(c);
	imgsearch_error err;
	const char *db = context_db(c);
	int rc = check_args(c, a);
	if (rc)
		return rc;
	if (!a->no_token)
		t->token = a->token_file ? token_read(a->token_file) : token_of_user(&t->token_file);
	if (!a->no_token && !t->token)
		return CLI_FAILED;
	t->uploads = uploads_folder(a) ? path_absolute(uploads_folder(a)) : NULL;
	t->cache = a->cache ? path_absolute(a->cache) : path_in_cache("thumbs");
	if (!db || context_refuse_memory(db) != CLI_DONE)
		return CLI_FAILED;
	s->socket_path = a->socket ? strdup(a->socket) : socket_path_of(db, true);
	if (!s->socket_path)
		return cli_fail("no usable path for the socket; name one with --socket PATH");
	s->options = (server_options){
		.listen = a->listen,
		.token = t->token,
		.uploads = t->uploads,
		.hosts = a->hosts.item,
		.n_hosts = a->hosts.n,
		.origins = a->origins.item,
		.n_origins = a->origins.n,
		.proxies = a->proxies.item,
		.n_proxies = a->proxies.n,
		.port = (uint16_t)a->port,
		.max_upload = (size_t)a->max_upload << 20,
		.read_only = a->read_only || !is_writable(db),
		.store_uploads = a->uploads && !t->uploads,
	};
	s->db = db;
	if (a->access_log && !(s->access_log = access_log_new(a->access_log)))
		return CLI_FAILED;
	o.must_exist = 1;
	o.wait_ms = WRITE_WAIT_MS;
	context_cache(c, db, &o);
	if (imgsearch_cancel_token_new(&s->cancel, &err))
		return cli_error(&err);
	imgsearch_call call = server_call(s);
	if (open_index_new(&s->index, db, &o, &call, &err))
		return context_open_error(c, db, &err);
	s->uploads = upload_cache_new();
	s->thumbs = t->cache ? thumb_cache_new(t->cache, a->cache_size) : NULL;
	s->sample = sample_new();
	s->map = cached_view_new(s, collection_map);
	s->groups = cached_view_new(s, collection_groups);
	return s->uploads && s->sample && s->map && s->groups ? CLI_DONE : cli_nomem();
}

static void wait_for_signal(server *s)
{
	while (!interrupt_pending()) {
		usleep(100000);
		server_check_connections(s);
	}
	interrupt_clear();
}

static int run(context *c, void *args)
{
	const serve_args *a = args;
	serve_texts texts = { 0 };
	server s = { .runs_lock = PTHREAD_MUTEX_INITIALIZER, .only = -1 };
	int rc = prepare(c, a, &s, &texts);
	if (rc == CLI_DONE) {
		look_at_index(c, a, &s);
		rc = server_start(&s);
	}
	if (rc == CLI_DONE) {
		print_address(c, &s, texts.token_file);
		warm_up(&s);
		wait_for_signal(&s);
	}
	if (!server_stop(&s)) {
		cli_warn("a request could not be stopped, and is left");
		fflush(NULL);
		_exit(rc);
	}
	cached_view_free(s.map);
	cached_view_free(s.groups);
	sample_free(s.sample);
	upload_cache_free(s.uploads);
	thumb_cache_free(s.thumbs);
	access_log_free(s.access_log);
	open_index_free(s.index);
	imgsearch_cancel_token_free(s.cancel);
	free(texts.token);
	free(texts.token_file);
	free(texts.uploads);
	free(texts.cache);
	return rc;
}

const command cmd_serve = {
	.name = "serve",
	.operands = "",
	.summary = "run a local web page and a JSON interface",
	.text =
		"Serves the index to a browser on this machine: drop a picture to see "
		"the most similar ones; a map of all pictures; near-duplicates. The address is written to "
		"standard output. docs/http.md describes the JSON interface. While the server runs, "
		"imgsearch query and imgsearch index of the same user are answered by it and load nothing "
		"themselves.\n\n"
		"Only this machine can reach the server, unless --listen ADDRESS is given. Requests need "
		"the user's token: the address on a terminal carries it, and a browser keeps it as a "
		"cookie.\n\n"
		"\timgsearch serve\n"
		"\timgsearch serve --port 9000 --uploads ~/Pictures/added\n"
		"\timgsearch serve --db postgresql://nas/pictures --uploads :index:\n"
		"\timgsearch serve --listen 0.0.0.0 --host nas.local\n"
		"\timgsearch serve --origin https://photos.example",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_MODEL | GROUP_FORMATS,
	.args_size = sizeof(serve_args),
	.run = run,
};
