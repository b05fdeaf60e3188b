/*
 * Opens an index in PostgreSQL: a schema of a database, which is made where it has no tables yet.
 * The tables lie in the first schema of the connection's search path.
 */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"
#include "store/postgres/schema.h"
#include "store/postgres/state_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A part of an address; what would end it, or a line, is written as %XX, but not `also`. */
static void put_part(buf *b, const char *part, char also)
{
	static const char hex[] = "0123456789ABCDEF",
					  kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	for (const unsigned char *c = (const unsigned char *)part; *c; c++)
		if (*c >= 0x80 || *c == also || strchr(kept, *c)) {
			ims_buf_u8(b, *c);
		} else {
			ims_buf_u8(b, '%');
			ims_buf_u8(b, (uint8_t)hex[*c >> 4]);
			ims_buf_u8(b, (uint8_t)hex[*c & 15]);
		}
}

static void put_text(buf *b, const char *text)
{
	ims_buf_put(b, text, strlen(text));
}

static void put_host(buf *b, const char *host, size_t n_host, const char *port, size_t n_port)
{
	bool brackets = memchr(host, ':', n_host) != NULL; /* IPv6 */
	put_text(b, brackets ? "[" : "");
	ims_buf_put(b, host, n_host);
	put_text(b, brackets ? "]" : "");
	put_text(b, n_port ? ":" : "");
	ims_buf_put(b, port, n_port);
}

/* Hosts have a port each, or one for all. */
static void put_hosts(buf *b, const char *host, const char *port)
{
	bool several = strchr(port, ',') != NULL;
	for (bool more = true; more;) {
		size_t n_host = strcspn(host, ","), n_port = strcspn(port, ",");
		put_host(b, host, n_host, port, n_port);
		more = host[n_host] != 0;
		put_text(b, more ? "," : "");
		host += n_host + more;
		port += several ? n_port + (port[n_port] == ',') : 0;
	}
}

/* A parameter behind the database, where it has a value. */
static void put_parameter(buf *b, bool *any, const char *name, const char *value, char also)
{
	if (!*value)
		return;
	put_text(b, *any ? "&" : "?");
	put_text(b, name);
	put_text(b, "=");
	put_part(b, value, also);
	*any = true;
}

/* The address without its password, as people may see it. Owned. */
static char *public_name(const pg_conninfo_option *o)
{
	const char *host = "", *port = "", *db = "", *user = "", *service = "", *options = "";
	buf b = { 0 };
	for (; o->keyword; o++) {
		const char **to = !strcmp(o->keyword, "host") ? &host
			: !strcmp(o->keyword, "port")             ? &port
			: !strcmp(o->keyword, "dbname")           ? &db
			: !strcmp(o->keyword, "user")             ? &user
			: !strcmp(o->keyword, "service")          ? &service
			: !strcmp(o->keyword, "options")          ? &options
													  : NULL;
		if (to && o->val)
			*to = o->val;
	}
	bool socket = *host == '/', any = false;
	put_text(&b, "postgresql://");
	put_part(&b, user, 0);
	put_text(&b, *user ? "@" : "");
	if (!socket)
		put_hosts(&b, host, port);
	put_text(&b, "/");
	put_part(&b, db, 0);
	put_parameter(&b, &any, "host", socket ? host : "", '/');
	put_parameter(&b, &any, "port", socket ? port : "", 0);
	put_parameter(&b, &any, "service", service, '/');
	put_parameter(&b, &any, "options", options, ','); /* the schema */
	ims_buf_u8(&b, 0);
	char *name = b.failed ? NULL : ims_strdup((const char *)b.data);
	ims_buf_free(&b);
	return name;
}

char *ims_postgres_name(const char *address)
{
	char *why = NULL;
	pg_conninfo_option *o = ims_libpq() ? ims_libpq()->parse(address, &why) : NULL;
	char *name = o ? public_name(o) : NULL;
	if (o)
		ims_libpq()->free_options(o);
	if (why)
		ims_libpq()->free(why);
	return name;
}

static int read_address(pg_store *st, const char *address, imgsearch_error *err)
{
	char *why = NULL;
	pg_conninfo_option *o = ims_libpq()->parse(address, &why);
	if (!o) {
		int rc = why ? ims_fail(err, IMGSEARCH_EINVAL, "the address of the index: %.*s",
					 (int)strcspn(why, "\n"), why)
					 : ims_nomem(err);
		ims_libpq()->free(why);
		return rc;
	}
	st->base.path = public_name(o);
	st->conninfo = ims_strdup(address);
	ims_libpq()->free_options(o);
	st->base.label = st->base.name = st->base.path;
	return st->base.path && st->conninfo ? 0 : ims_nomem(err);
}

/* No index can be made there. */
static int no_schema(imgsearch_error *err, int rc)
{
	if (err)
		err->detail = ENOENT;
	return rc;
}

/*
 * The first schema that the search path names must exist. The server would pass over one that does
 * not, and the tables of another index would be used.
 */
static int require_schema(const pg_store *st, const pg_result *examined, imgsearch_error *err)
{
	enum { FIRST_NAMED = 4, IS_ABSENT };
	size_t size;
	if (ims_pg_is_null(examined, 0, FIRST_NAMED) || !ims_pg_number(examined, 0, IS_ABSENT))
		return 0;
	return no_schema(err,
		ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s: there is no schema \"%s\"", st->base.label,
			ims_pg_value(examined, 0, FIRST_NAMED, &size)));
}

static int examine(pg_store *st, const store_options *o, imgsearch_error *err)
{
	pg_link *l;
	pg_result *r = NULL;
	int rc = ims_pg_acquire(st, &l, err);
	if (!rc)
		rc = ims_pg_run(l, &r, err,
			"SELECT to_regclass('picture') IS NOT NULL, to_regtype('vector') IS NOT NULL,"
			" current_schema()::text, EXISTS (SELECT FROM pg_extension WHERE extname = 'vector'),"
			" f.name, to_regnamespace(quote_ident(f.name)) IS NULL, NOT"
			" has_table_privilege(to_regclass('picture'), 'INSERT') FROM (SELECT (SELECT"
			" btrim(s, ' \"') FROM string_to_table(current_setting('search_path'), ',')"
			" WITH ORDINALITY AS e (s, i) WHERE btrim(s, ' \"') NOT IN ('$user', '')"
			" ORDER BY i LIMIT 1) AS name) AS f",
			NULL);
	bool made = !rc && ims_pg_number(r, 0, 0), has_vector = !rc && ims_pg_number(r, 0, 1);
	bool has_schema = !rc && !ims_pg_is_null(r, 0, 2), installed = !rc && ims_pg_number(r, 0, 3);
	if (!rc && !has_schema)
		rc = no_schema(err,
			ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s: no schema of the search path exists",
				st->base.label));
	if (!rc)
		rc = require_schema(st, r, err);
	st->base.denied = !rc && ims_pg_number(r, 0, 6);
	ims_pg_clear(r);
	if (!rc && !has_vector)
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			installed
				? "index %s: the extension vector lies outside of the search path"
				: "index %s: the database lacks the extension vector: CREATE EXTENSION vector",
			st->base.label);
	if (!rc && !made && (o->must_exist || o->read_only))
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "there is no index %s", st->base.label);
	if (!rc && !made)
		rc = ims_pg_schema_make(l, o, err);
	if (!rc)
		rc = ims_pg_schema_fit(l, o, err);
	ims_pg_release(st, l);
	return rc;
}

int ims_postgres_open(store **out, const char *address, const store_options *o,
	imgsearch_error *err)
{
	*out = NULL;
	if (!ims_libpq())
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"an index in PostgreSQL needs libpq.so.5 (Debian: libpq5)");
	pg_store *st = ims_zalloc(1, sizeof *st);
	if (!st)
		return ims_nomem(err);
	pthread_mutex_init(&st->mutex, NULL);
	st->base.engine = &ims_postgres_engine;
	st->base.read_only = o->read_only;
	st->max_stale = o->max_stale;
	atomic_store(&st->reads_on, 1);
	int rc = read_address(st, address, err);
	if (!rc && o->cache)
		rc = ims_pg_cache_new(&st->cache, o->cache, err);
	if (!rc)
		rc = examine(st, o, err);
	if (rc) {
		ims_pg_close(&st->base);
		return rc;
	}
	*out = &st->base;
	return 0;
}

void ims_pg_close(store *base)
{
	pg_store *st = (pg_store *)base;
	ims_pg_tx_rollback(base);
	for (size_t i = 0; i < st->n_idle; i++)
		ims_pg_disconnect(st->idle[i]);
	ims_pg_disconnect(st->writer);
	pthread_mutex_destroy(&st->mutex);
	ims_free(st->base.path);
	ims_free(st->conninfo);
	ims_pg_cache_free(st->cache);
	ims_free(st);
}

int64_t ims_pg_old_version(store *st)
{
	(void)st;
	return 0;
}

uint64_t ims_pg_bytes(store *st)
{
	pg_result *r;
	uint64_t bytes = 0;
	if (!ims_pg_read(st, &r, NULL,
			"SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relnamespace ="
			" current_schema()::regnamespace AND relkind = 'r'",
			NULL))
		bytes = (uint64_t)ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return bytes;
}

/* Faults of pgvector by its change log. */
static const char *faults_of(int64_t pgvector)
{
	enum { ITERATES = 800, SOUND = 804 };
	return pgvector >= SOUND ? NULL
		: pgvector >= ITERATES
		? "before pgvector 0.8.4 a vacuum may damage an index over the rows: measure its recall,"
		  " and make it anew, or take a newer pgvector"
		: "before pgvector 0.8.4 a vacuum may damage an index over the rows, and before 0.8 one"
		  " gives a filter too few: measure its recall, and take a newer pgvector";
}

int ims_pg_server(store *st, char **versions, const char **faults, imgsearch_error *err)
{
	pg_result *r;
	size_t size;
	int rc = ims_pg_read(st, &r, err,
		"SELECT format('PostgreSQL %s, pgvector %s', split_part(current_setting('server_version'),"
		" ' ', 1), extversion), ims_vector_version() FROM pg_extension WHERE extname = 'vector'",
		NULL);
	if (!rc && ims_pg_count(r)) {
		*versions = ims_strdup(ims_pg_value(r, 0, 0, &size));
		*faults = faults_of(ims_pg_number(r, 0, 1));
		rc = *versions ? 0 : ims_nomem(err);
	}
	ims_pg_clear(r);
	return rc;
}

int ims_pg_compact(store *st, imgsearch_error *err)
{
	(void)st, (void)err; /* autovacuum does */
	return 0;
}

int ims_pg_backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err)
{
	(void)path, (void)replace, (void)j;
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
		"index %s: a backup of a database is made by pg_dump", st->label);
}

typedef struct problem_reader {
	store_problem_each *each;
	void *user;
} problem_reader;

static int read_problem(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const problem_reader *reader = user;
	size_t size;
	(void)err;
	return reader->each(reader->user, ims_pg_value(r, row, 0, &size));
}

/* Counts and references; the pages are the server's. */
int ims_pg_check(store *st, store_problem_each *each, void *user, imgsearch_error *err)
{
	problem_reader reader = { each, user };
	return ims_pg_read_each(st, "SELECT problem FROM ims_problems() problem", NULL, read_problem,
		&reader, err);
}
