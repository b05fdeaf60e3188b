/*
 * Parameters of a statement, in PostgreSQL's binary format: numbers in network order, arrays with a
 * header. They are built in one buffer; an allocation that fails is noticed when they are sent.
 */
#ifndef IMS_POSTGRES_PARAMS_H
#define IMS_POSTGRES_PARAMS_H

#include "store/postgres/libpq.h"

/* Types of the server's own catalogue. */
enum {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT4 = 23,
	PG_TEXT_TYPE = 25,
	PG_FLOAT8 = 701,
	PG_BYTEA_ARRAY = 1001,
	PG_INT4_ARRAY = 1007,
	PG_INT8_ARRAY = 1016,
	PG_BOOL_ARRAY = 1000,
};

enum { PARAMS_MOST = 8 };

typedef struct pg_params {
	buf data;
	size_t n;
	size_t at[PARAMS_MOST];
	int length[PARAMS_MOST]; /* -1: null */
	pg_oid type[PARAMS_MOST];
	size_t array; /* the place of the header of the array at work */
	bool failed;
} pg_params;

void ims_pg_params_free(pg_params *p);

void ims_pg_int(pg_params *p, int64_t value);
void ims_pg_blob(pg_params *p, const void *data, size_t size); /* NULL: null */
void ims_pg_text(pg_params *p, const char *text);              /* the same */
void ims_pg_double_param(pg_params *p, double value);
void ims_pg_null(pg_params *p, pg_oid type);
void ims_pg_vector(pg_params *p, pg_oid type, const float *v, uint32_t dim); /* NULL: null */

/* An array of a type of elements: begin, its n elements, end. An element of size -1 is null. */
void ims_pg_array_begin(pg_params *p, pg_oid array, pg_oid element, size_t n);
void ims_pg_array_end(pg_params *p);

/* Values within an array, or within a composite one. */
void ims_pg_put_null(buf *b);
void ims_pg_put_bool(buf *b, bool value);
void ims_pg_put_int4(buf *b, int32_t value);
void ims_pg_put_int8(buf *b, int64_t value);
void ims_pg_put_bytes(buf *b, const void *data, size_t size);
void ims_pg_put_vector(buf *b, const float *v, uint32_t dim); /* of pgvector */

/* Whole arrays. */
void ims_pg_int8_array(pg_params *p, const int64_t *value, size_t n);

#endif
