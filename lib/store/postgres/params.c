#include "store/postgres/params.h"

#include <string.h>

void ims_pg_params_free(pg_params *p)
{
	ims_buf_free(&p->data);
	*p = (pg_params){ 0 };
}

/* ------------------------------------------------------------------------------- values ---- */

static void put_u16(buf *b, uint16_t v)
{
	ims_buf_u8(b, (uint8_t)(v >> 8));
	ims_buf_u8(b, (uint8_t)v);
}

static void put_u32(buf *b, uint32_t v)
{
	put_u16(b, (uint16_t)(v >> 16));
	put_u16(b, (uint16_t)v);
}

static void put_u64(buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)(v >> 32));
	put_u32(b, (uint32_t)v);
}

void ims_pg_put_null(buf *b)
{
	put_u32(b, UINT32_MAX);
}

void ims_pg_put_bool(buf *b, bool value)
{
	put_u32(b, 1);
	ims_buf_u8(b, value);
}

void ims_pg_put_int4(buf *b, int32_t value)
{
	put_u32(b, 4);
	put_u32(b, (uint32_t)value);
}

void ims_pg_put_int8(buf *b, int64_t value)
{
	put_u32(b, 8);
	put_u64(b, (uint64_t)value);
}

void ims_pg_put_bytes(buf *b, const void *data, size_t size)
{
	if (!data) {
		ims_pg_put_null(b);
		return;
	}
	put_u32(b, (uint32_t)size);
	ims_buf_put(b, data, size);
}

/* pgvector's: the number of values, two bytes that are not used, the values. */
void ims_pg_put_vector(buf *b, const float *v, uint32_t dim)
{
	if (!v) {
		ims_pg_put_null(b);
		return;
	}
	put_u32(b, 4 + 4 * dim);
	put_u16(b, (uint16_t)dim);
	put_u16(b, 0);
	uint8_t *out = ims_buf_grow(b, 4 * (size_t)dim);
	for (uint32_t i = 0; out && i < dim; i++) {
		uint32_t bits;
		memcpy(&bits, &v[i], sizeof bits);
		bits = __builtin_bswap32(bits);
		memcpy(out + 4 * (size_t)i, &bits, sizeof bits);
	}
}

/* --------------------------------------------------------------------------- parameters ---- */

/* Ends the parameter that began at `from`. */
static void end(pg_params *p, size_t from, pg_oid type)
{
	p->at[p->n] = from;
	p->length[p->n] = (int)(p->data.len - from);
	p->type[p->n++] = type;
}

void ims_pg_int(pg_params *p, int64_t value)
{
	size_t from = p->data.len;
	put_u64(&p->data, (uint64_t)value);
	end(p, from, PG_INT8);
}

static void put_plain(pg_params *p, const void *data, size_t size, pg_oid type)
{
	size_t from = p->data.len;
	if (data)
		ims_buf_put(&p->data, data, size);
	end(p, from, type);
	if (!data)
		p->length[p->n - 1] = -1;
}

void ims_pg_blob(pg_params *p, const void *data, size_t size)
{
	put_plain(p, data, size, PG_BYTEA);
}

void ims_pg_text(pg_params *p, const char *text)
{
	put_plain(p, text, text ? strlen(text) : 0, PG_TEXT_TYPE);
}

void ims_pg_double_param(pg_params *p, double value)
{
	size_t from = p->data.len;
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_u64(&p->data, bits);
	end(p, from, PG_FLOAT8);
}

void ims_pg_null(pg_params *p, pg_oid type)
{
	put_plain(p, NULL, 0, type);
}

void ims_pg_vector(pg_params *p, pg_oid type, const float *v, uint32_t dim)
{
	enum { LENGTH = 4 }; /* a parameter has none of its own */
	if (!v) {
		ims_pg_null(p, type);
		return;
	}
	size_t from = p->data.len + LENGTH;
	ims_pg_put_vector(&p->data, v, dim);
	end(p, from, type);
}

/* The header: dimensions, whether there may be nulls, type, number of elements, first index. */
void ims_pg_array_begin(pg_params *p, pg_oid array, pg_oid element, size_t n)
{
	p->array = p->data.len;
	p->type[p->n] = array;
	put_u32(&p->data, n ? 1 : 0);
	put_u32(&p->data, 1);
	put_u32(&p->data, element);
	if (!n)
		return;
	put_u32(&p->data, (uint32_t)n);
	put_u32(&p->data, 1);
}

void ims_pg_array_end(pg_params *p)
{
	end(p, p->array, p->type[p->n]);
}

void ims_pg_int8_array(pg_params *p, const int64_t *value, size_t n)
{
	ims_pg_array_begin(p, PG_INT8_ARRAY, PG_INT8, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_int8(&p->data, value[i]);
	ims_pg_array_end(p);
}
