/*
 * imgsearch serve: a local web server with a page, and the JSON interface of docs/http.md. Model and searcher stay in
 * memory; `query` and `index` of the same user go through it by the unix socket beside the index (server_path.c).
 */
#include "cli/output/collection.h"
#include "cli/client/server_client.h"
#include "cli/serve/serve.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct serve_args {
	common_args common;
	uint32_t port, max_upload, read_only, open;
	const char *listen, *token_file, *socket, *uploads, *cache;
	option_list hosts;
} serve_args;

#define AT(member) offsetof(serve_args, member)
static const option options[] = {
	{ "port", 'p', OPT_UINT, AT(port), "N", .help = "port to listen on; 0: any free one", .min = 0, .max = 65535, .def = "8080" },
	{ "listen", 0, OPT_TEXT, AT(listen), "ADDRESS", .help = "listen on this address instead of this machine alone; needs --token-file" },
	{ "token-file", 0, OPT_FILE, AT(token_file), "FILE", .help = "requests must carry the first line of FILE" },
	{ "host", 0, OPT_LIST, AT(hosts), "NAME", .help = "the server may be called by this name, too (may be repeated)" },
	{ "socket", 0, OPT_FILE, AT(socket), "PATH", .help = "unix socket to listen on (default: the index's path and .sock, where query and index look for it)" },
	{ "uploads", 0, OPT_DIR, AT(uploads), "DIR", .help = "pictures may be added from the page; they are kept in DIR" },
	{ "cache", 0, OPT_DIR, AT(cache), "DIR", .help = "keep thumbnails in DIR (default: imgsearch in the user's cache folder)" },
	{ "max-upload", 0, OPT_UINT, AT(max_upload), "MB", .help = "largest body of a request", .min = 1, .max = 1024, .def = "64" },
	{ "read-only", 0, OPT_FLAG, AT(read_only), .help = "nothing of the index can be changed from outside" },
	OPT_END
};

/* The first line of the file: at least 16 characters that fit into a header. */
static char *read_token(const char *path)
{
	char line[512] = "";
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof line, f)) {
		cli_fail("%s: the token cannot be read", path);
	} else {
		line[strcspn(line, "\r\n")] = 0;
		if (strlen(line) < 16 || strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != strlen(line)) {
			cli_fail("%s: a token of at least 16 letters and digits is needed; make one with: openssl rand -hex 16 > %s", path, path);
			*line = 0;
		}
	}
	if (f)
		fclose(f);
	return *line ? strdup(line) : NULL;
}

static char *cache_folder(const char *given)
{
	char path[PATH_MAX];
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (given)
		return path_absolute(given);
	if (cache && *cache == '/')
		snprintf(path, sizeof path, "%s", cache);
	else if (home && *home)
		snprintf(path, sizeof path, "%s/.cache", home);
	else
		return NULL;
	mkdir(path, 0700);
	strncat(path, "/imgsearch", sizeof path - strlen(path) - 1);
	mkdir(path, 0700);
	strncat(path, "/thumbs", sizeof path - strlen(path) - 1);
	return strdup(path);
}

static int prepare(context *c, const serve_args *a, server *s, char **token, char **uploads)
{
	struct stat st;
	if (a->listen && !a->token_file)
		return command_usage(c->command, "--listen opens the server to others: it needs --token-file FILE");
	if (a->token_file && !(*token = read_token(a->token_file)))
		return CLI_FAILED;
	if (a->uploads && (stat(a->uploads, &st) || !S_ISDIR(st.st_mode) || access(a->uploads, W_OK)))
		return cli_fail("--uploads %s: not a folder that can be written", a->uploads);
	*uploads = a->uploads ? path_absolute(a->uploads) : NULL;
	s->socket_path = a->socket ? strdup(a->socket) : NULL;
	if (!s->socket_path && context_db(c))
		s->socket_path = socket_path_of(context_db(c), true);
	return s->socket_path ? CLI_DONE : cli_fail("there is no place for the socket; name one with --socket PATH");
}

/* The index, and its folder for the journal beside it. */
static bool writable(const char *db)
{
	char *path = path_absolute(db), *slash = path ? strrchr(path, '/') : NULL;
	bool ok = slash && !access(path, W_OK);
	if (ok) {
		slash[slash == path] = 0;
		ok = !access(path, W_OK);
	}
	free(path);
	return ok;
}

static void say_where(context *c, const server *s, const serve_args *a)
{
	const char *host = a->listen && strcmp(a->listen, "0.0.0.0") && strcmp(a->listen, "::") ? a->listen : "localhost";
	bool v6 = strchr(host, ':') != NULL;
	context_note(c, "serving %s at http://%s%s%s:%u/ (Ctrl-C ends)", context_db(c), v6 ? "[" : "", host, v6 ? "]" : "", s->port);
	printf("http://%s%s%s:%u/\n", v6 ? "[" : "", host, v6 ? "]" : "", s->port);
	fflush(stdout);
}

/* So that the first search finds network and searcher in memory. What goes wrong here, that search will tell. */
static void warm_up(server *s)
{
	static const uint8_t black[3 * 16 * 16];
	imgsearch_error err = { 0 };
	imgsearch_info *info = NULL;
	imgsearch_hits *hits = NULL;
	imgsearch *index = serve_index_take(s->index, &err);
	if (!index)
		return;
	if (!imgsearch_info_get(index, &info, &err) && info->vectors && info->model) {
		imgsearch_input in = imgsearch_pixels(black, 16, 16, 3 * 16);
		imgsearch_query(index, &in, 1, NULL, &hits, &err);
	}
	imgsearch_hits_free(hits);
	imgsearch_info_free(info);
	serve_index_give(s->index);
}

static int run(context *c, void *args)
{
	serve_args *a = args;
	char *token = NULL, *uploads = NULL, *cache = cache_folder(a->cache);
	server s = { .context = c, .changing = PTHREAD_MUTEX_INITIALIZER };
	imgsearch_options o = context_options(c);
	o.must_exist = 1;
	o.events.progress = serve_progress;
	int rc = prepare(c, a, &s, &token, &uploads);
	s.options = (serve_options){ .listen = a->listen, .token = token, .uploads = uploads, .cache = cache, .hosts = a->hosts.item,
		.n_hosts = a->hosts.n, .port = (uint16_t)a->port, .max_upload = (size_t)a->max_upload << 20, .read_only = a->read_only || (context_db(c) && !writable(context_db(c))) };
	if (rc == CLI_DONE)
		rc = served_index_open(&s.index, c, &o);
	s.map = layout_new(&s, layout_map);
	s.groups = layout_new(&s, layout_groups);
	if (rc == CLI_DONE && (!s.map || !s.groups))
		rc = cli_nomem();
	if (rc == CLI_DONE)
		rc = serve_start(&s);
	if (rc == CLI_DONE) {
		say_where(c, &s, a);
		warm_up(&s);
		for (unsigned tick = 0; !interrupt_pending(); tick++) {
			usleep(100000);
			if (tick % 10 == 0)
				serve_watch(&s);
		}
		interrupt_clear(); /* a wanted end */
	}
	serve_stop(&s);
	layout_free(s.map);
	layout_free(s.groups);
	served_index_close(s.index);
	free(token);
	free(uploads);
	free(cache);
	return rc;
}

const command cmd_serve = {
	.name = "serve", .operands = "", .summary = "a local web page to search with, and a JSON interface",
	.text = "Serves the index to a browser on this machine: drop a picture, see the most similar ones; a map of all "
		"pictures; near-duplicates. The address is written to standard output. docs/http.md describes the JSON "
		"interface. While it runs, query and index of the same user go through it and need not load anything.\n\n"
		"Only this machine can reach it, unless --listen ADDRESS is given, which needs a token.\n\n"
		"\timgsearch serve\n"
		"\timgsearch serve --port 9000 --uploads ~/Pictures/added\n"
		"\topenssl rand -hex 16 > token; imgsearch serve --listen 0.0.0.0 --host nas.local --token-file token",
	.options = options, .groups = GROUP_DB | GROUP_MODEL, .args_size = sizeof(serve_args), .run = run
};
