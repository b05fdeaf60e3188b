/* Growing bytes. Numbers are stored little-endian, as in everything that is written to disk. */
#ifndef IMS_BASE_BUF_H
#define IMS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All zero is empty. A failed append sets `failed` and later ones do nothing, so a caller checks
 * once, at the end. With `fixed` the data are cap bytes of the caller's, which neither grow nor are
 * freed; an append that does not fit fails.
 */
typedef struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed, fixed;
} buf;

/* Frees the bytes, unless they are fixed, and makes *b empty. */
void ims_buf_free(buf *b);
void *ims_buf_grow(buf *b, size_t n); /* appends n uninitialised bytes; NULL on failure */
void ims_buf_put(buf *b, const void *data, size_t n);
void ims_buf_u8(buf *b, uint8_t v);
void ims_buf_u32(buf *b, uint32_t v);
void ims_buf_u64(buf *b, uint64_t v);
void ims_buf_f32(buf *b, float v);

/* Text. A zero byte follows it in memory and does not count in len. */
void ims_buf_text(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
