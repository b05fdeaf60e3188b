/* The schema of an index: SQL that is compiled in, run in one transaction. */
#include "store/postgres/schema.h"

#include <stdio.h>

#define EMBED(name, file) \
	__asm__(".section .rodata\n" \
			".global " name "\n.hidden " name "\n" name ":\n" \
			".incbin \"lib/store/postgres/" file "\"\n" \
			".byte 0\n" \
			".previous\n")
EMBED("ims_postgres_schema", "schema.sql");
EMBED("ims_postgres_upgrade", "upgrade.sql");
EMBED("ims_postgres_functions", "functions.sql");
extern const char ims_postgres_schema[], ims_postgres_upgrade[], ims_postgres_functions[];

enum { OLDEST = 1, SCHEMA_VERSION = 3 }; /* of the setting 'version' */

/* Programs that make or upgrade a schema take turns. */
static int begin(pg_link *l, imgsearch_error *err)
{
	int rc = ims_pg_run(l, NULL, err, "BEGIN", NULL);
	return rc
		? rc
		: ims_pg_run(l, NULL, err,
			"SELECT pg_advisory_xact_lock(hashtext('imgsearch'), hashtext(current_schema()::text))",
			NULL);
}

static int end(pg_link *l, int rc, imgsearch_error *err)
{
	if (rc)
		ims_pg_run(l, NULL, NULL, "ROLLBACK", NULL);
	return rc ? rc : ims_pg_run(l, NULL, err, "COMMIT", NULL);
}

static int put_settings(pg_link *l, const store_options *o, imgsearch_error *err)
{
	buf numbers = { 0 };
	pg_params p = { 0 };
	ims_buf_u32(&numbers, o->metric);
	ims_buf_u32(&numbers, o->dim);
	if (numbers.failed)
		return ims_nomem(err);
	ims_pg_blob(&p, numbers.data, 4);
	ims_pg_blob(&p, numbers.data + 4, 4);
	ims_pg_int(&p, o->dim);
	ims_pg_int(&p, SCHEMA_VERSION);
	ims_buf_free(&numbers);
	return ims_pg_run(l, NULL, err,
		"INSERT INTO setting SELECT 'metric', $1 UNION ALL SELECT 'dim', $2 WHERE $3 > 0 UNION"
		" ALL SELECT 'version', $4::text::bytea UNION ALL SELECT 'file',"
		" substr(uuid_send(gen_random_uuid()), 1, 8)",
		&p);
}

static int make_in_transaction(pg_link *l, const store_options *o, imgsearch_error *err)
{
	pg_result *r = NULL;
	int rc = ims_pg_run(l, &r, err,
		"SELECT to_regclass(quote_ident(current_schema()) || '.picture') IS NULL", NULL);
	bool empty = !rc && ims_pg_number(r, 0, 0) != 0;
	ims_pg_clear(r);
	if (rc || !empty)
		return rc;
	rc = ims_pg_script(l, ims_postgres_schema, err);
	if (!rc)
		rc = ims_pg_script(l, ims_postgres_functions, err);
	return rc ? rc : put_settings(l, o, err);
}

int ims_pg_schema_make(pg_link *l, const store_options *o, imgsearch_error *err)
{
	int rc = begin(l, err);
	if (!rc)
		rc = make_in_transaction(l, o, err);
	return end(l, rc, err);
}

/* What is known of the schema that is there. The numbers of its types go to the store. */
typedef struct schema_state {
	int64_t version;
	bool may_upgrade; /* this role owns the tables, and the server can be written */
	char owner[64];
} schema_state;

static int read_state(pg_link *l, schema_state *out, imgsearch_error *err)
{
	pg_result *r;
	size_t size;
	int rc = ims_pg_run(l, &r, err,
		"SELECT (SELECT encode(data, 'escape')::bigint FROM setting WHERE name = 'version'),"
		" pg_has_role(relowner, 'USAGE') AND NOT pg_is_in_recovery(), relowner::regrole::text,"
		" to_regtype('ims_record')::oid::bigint, to_regtype('ims_record[]')::oid::bigint,"
		" to_regtype('vector')::oid::bigint, to_regtype('vector[]')::oid::bigint"
		" FROM pg_class WHERE oid = 'picture'::regclass",
		NULL);
	if (!rc) {
		out->version = ims_pg_number(r, 0, 0);
		out->may_upgrade = ims_pg_number(r, 0, 1) != 0;
		snprintf(out->owner, sizeof out->owner, "%s", ims_pg_value(r, 0, 2, &size));
		l->st->record = (pg_oid)ims_pg_number(r, 0, 3);
		l->st->record_array = (pg_oid)ims_pg_number(r, 0, 4);
		l->st->vector = (pg_oid)ims_pg_number(r, 0, 5);
		l->st->vector_array = (pg_oid)ims_pg_number(r, 0, 6);
	}
	ims_pg_clear(r);
	return rc;
}

/* Another version's functions would be called wrongly. */
static int refuse(const pg_link *l, const schema_state *s, imgsearch_error *err)
{
	const char *label = l->st->base.label;
	long long version = s->version, own = SCHEMA_VERSION;
	if (version > own || version < OLDEST)
		return ims_fail(err, IMGSEARCH_EVERSION,
			"index %s was made by %s imgsearch (schema %lld, this one knows %lld)", label,
			version > own ? "a newer" : "an older", version, own);
	return ims_fail(err, IMGSEARCH_EVERSION,
		"index %s was made by an older imgsearch (schema %lld, this one knows %lld): any command of"
		" its owner, %s, upgrades it",
		label, version, own, s->owner);
}

/* Another program may have upgraded it meanwhile. */
static int upgrade_in_transaction(pg_link *l, imgsearch_error *err)
{
	schema_state now;
	int rc = read_state(l, &now, err);
	if (rc || now.version == SCHEMA_VERSION)
		return rc;
	rc = ims_pg_script(l, ims_postgres_upgrade, err);
	if (!rc)
		rc = ims_pg_script(l, ims_postgres_functions, err);
	if (!rc)
		l->st->base.upgrade = (store_upgrade){ now.version, SCHEMA_VERSION };
	return rc;
}

int ims_pg_schema_fit(pg_link *l, const store_options *o, imgsearch_error *err)
{
	schema_state s;
	int rc = read_state(l, &s, err);
	if (rc || s.version == SCHEMA_VERSION)
		return rc;
	if (s.version > SCHEMA_VERSION || s.version < OLDEST || !s.may_upgrade || o->read_only)
		return refuse(l, &s, err);
	rc = begin(l, err);
	if (!rc)
		rc = upgrade_in_transaction(l, err);
	return end(l, rc, err);
}
