/* Stored files: the bytes of pictures that have no file, in pieces. */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"

#include <string.h>

static int put_pieces(pg_link *l, int64_t picture, const char *data, size_t size,
	imgsearch_error *err)
{
	pg_copy c = { 0 };
	int rc = ims_pg_copy_begin(&c, l,
		"COPY stored_file (picture, number, data) FROM STDIN (FORMAT binary)", err);
	for (size_t i = 0; !rc && i < size; i += STORE_PIECE) {
		rc = ims_pg_copy_row(&c, 3, err);
		ims_pg_put_int8(&c.rows, picture);
		ims_pg_put_int4(&c.rows, (int32_t)(i / STORE_PIECE));
		ims_pg_put_bytes(&c.rows, data + i, size - i < STORE_PIECE ? size - i : STORE_PIECE);
	}
	return ims_pg_copy_end(&c, rc, err);
}

int ims_pg_file_put(store *st, int64_t picture, const void *data, size_t size, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_link *l;
	ims_pg_int(&p, picture);
	int rc = ims_pg_write(st, NULL, err, "DELETE FROM stored_file WHERE picture = $1", &p);
	if (!rc)
		rc = ims_pg_writer(st, &l, err);
	return rc ? rc : put_pieces(l, picture, data, size, err);
}

typedef struct file_reader {
	buf *out;
	hash256 *hash;
	bool found;
} file_reader;

static int read_piece(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	file_reader *f = user;
	size_t size;
	const char *hash = ims_pg_value(r, row, 1, &size);
	memset(f->hash, 0, sizeof *f->hash);
	if (size == sizeof *f->hash)
		memcpy(f->hash, hash, size);
	const char *data = ims_pg_value(r, row, 0, &size);
	ims_buf_put(f->out, data, size);
	f->found = true;
	return f->out->failed ? ims_nomem(err) : 0;
}

int ims_pg_file_get(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err)
{
	file_reader f = { out, hash, false };
	pg_params p = { 0 };
	ims_pg_int(&p, picture);
	int rc = ims_pg_read_each(st,
		"SELECT s.data, q.hash FROM picture q JOIN stored_file s ON s.picture = coalesce((SELECT"
		" min(p.id) FROM picture p JOIN stored_file f ON f.picture = p.id AND f.number = 0 WHERE"
		" p.hash = q.hash), q.id) WHERE q.id = $1 ORDER BY s.number",
		&p, read_piece, &f, err);
	return rc || f.found ? rc : IMGSEARCH_ENOTFOUND;
}

int ims_pg_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_blob(&p, hash->byte, sizeof hash->byte);
	int rc = ims_pg_read(st, &r, err,
		"SELECT min(p.id) FROM picture p JOIN stored_file f ON f.picture = p.id AND f.number = 0"
		" WHERE p.hash = $1 AND p.state <> 8",
		&p);
	*picture = rc ? 0 : ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err)
{
	pg_result *r;
	int rc = ims_pg_read(st, &r, err,
		"SELECT coalesce(sum(length(data)), 0)::bigint FROM stored_file", NULL);
	*bytes = rc ? 0 : (uint64_t)ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}
