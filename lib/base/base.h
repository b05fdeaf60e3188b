/*
 * The ground floor: errors, memory, byte buffers, hashes, rows of floats, the best k, threads. Knows nothing of
 * pictures. Every other room may use it; it uses only imgsearch.h.
 */
#ifndef IMS_BASE_H
#define IMS_BASE_H

#include "base/path.h"
#include "imgsearch.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------ errors ---- */

/*
 * Writes code and sentence into err (may be NULL) and returns code: `return ims_fail(err, IMGSEARCH_EIO, ...)`. What
 * succeeds leaves err alone.
 */
int ims_fail(imgsearch_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errno)" at the end and errno as detail. */
int ims_fail_errno(imgsearch_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message that a lower layer left. */
void ims_error_prefix(imgsearch_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ENOMEM with its fixed text. */
int ims_nomem(imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------ memory ---- */

/* Arrays of n items; NULL when it cannot be had or the product overflows. Freed by ims_free (NULL is fine). */
void *ims_alloc(size_t n, size_t item);
void *ims_zalloc(size_t n, size_t item);
void *ims_realloc(void *p, size_t n, size_t item);
void *ims_grow(void *p, size_t n, size_t *cap, size_t item); /* room for more than n, *cap doubled where it is needed; NULL: p is as it was */
char *ims_strdup(const char *s);
char *ims_strndup(const char *s, size_t n);
char *ims_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ims_free(void *p);

/* 64-byte aligned, large ones on huge pages where the system has them; size rounded up to 64; also freed by ims_free. */
void *ims_alloc_aligned(size_t n, size_t item);

/* Tests: the n-th allocation from now on fails (once); 0: none. Returns how many were made since the last call. */
uint64_t ims_alloc_fail_after(uint64_t n);

/* ----------------------------------------------------------------------------------------------- buffers ---- */

/*
 * Growing bytes. Zero-initialised is empty. Appends remember a failure in `failed`, so that only the end is checked.
 * Fixed: data are cap bytes of someone else's; what does not fit there fails.
 */
typedef struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed, fixed;
} buf;

void ims_buf_free(buf *b);
void *ims_buf_grow(buf *b, size_t n); /* n more bytes, uninitialised; NULL on failure */
void ims_buf_put(buf *b, const void *data, size_t n);
void ims_buf_text(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ims_buf_u8(buf *b, uint8_t v);
void ims_buf_u32(buf *b, uint32_t v); /* little-endian, as everything that is kept */
void ims_buf_u64(buf *b, uint64_t v);
void ims_buf_f32(buf *b, float v);

/* Reading bytes from strangers: past the end gives zeros and sets `failed`. */
typedef struct reader {
	const uint8_t *data;
	size_t len, pos;
	bool failed;
} reader;

uint8_t ims_read_u8(reader *r);
uint32_t ims_read_u32(reader *r);
uint64_t ims_read_u64(reader *r);
float ims_read_f32(reader *r);
const void *ims_read_bytes(reader *r, size_t n); /* borrowed from the data; NULL past the end */

/* The whole file; EIO, ENOTFOUND, ELIMIT above max_bytes. Refuses what is not a regular file. Does not block on a FIFO. */
int ims_read_file(buf *out, const char *path, uint64_t max_bytes, imgsearch_error *err);
int ims_read_fd(buf *out, int fd, const char *name, uint64_t max_bytes, imgsearch_error *err); /* of one that is open */

/* ------------------------------------------------------------------------------------------------ hashes ---- */

/* Content identity: BLAKE2b-256 (RFC 7693). */
typedef struct hash256 {
	uint8_t byte[32];
} hash256;

hash256 ims_hash(const void *data, size_t n);
void ims_hash_hex(const hash256 *h, char out[65]);
bool ims_hash_equal(const hash256 *a, const hash256 *b);

/* Integrity of stored chunks: XXH64. Not against an adversary. */
uint64_t ims_checksum(const void *data, size_t n, uint64_t seed);

/* Deterministic random numbers: SplitMix64; seed is the state. */
uint64_t ims_random(uint64_t *state);
double ims_random_unit(uint64_t *state); /* [0, 1) */

/* ------------------------------------------------------------------------------------------- best k rows ---- */

typedef struct neighbor {
	float distance; /* smaller is nearer */
	int64_t id;
} neighbor;

/* Nearer first, ties by smaller id: the one order of results everywhere. */
static inline bool ims_nearer(float da, int64_t ia, float db, int64_t ib)
{
	return da < db || (da == db && ia < ib);
}

bool ims_all_finite(const float *v, size_t n);

/* The k nearest seen so far, as a max-heap. item has room for k. */
typedef struct topk {
	neighbor *item;
	size_t k, n;
} topk;

int ims_topk_init(topk *t, size_t k); /* 0 or ENOMEM */
void ims_topk_free(topk *t);
void ims_topk_clear(topk *t);
void ims_topk_push(topk *t, float distance, int64_t id); /* a NaN distance is never taken */
void ims_topk_sort(topk *t);                             /* nearest first; then only clear, free or reading */

/* What a row must beat to get in: +infinity until k are there. */
static inline float ims_topk_worst(const topk *t)
{
	return t->n < t->k || !t->k ? (t->k ? __builtin_inff() : -__builtin_inff()) : t->item[0].distance;
}

/* ----------------------------------------------------------------------------------------------- threads ---- */

/* The only code that makes threads. A bounded queue: ims_pool_run blocks while it is full. */
typedef struct pool pool;

int ims_pool_new(pool **out, unsigned threads, unsigned queue, imgsearch_error *err);
void ims_pool_free(pool *p); /* finishes what is queued */
unsigned ims_pool_threads(const pool *p); /* NULL: 1 */
void ims_pool_run(pool *p, void (*work)(void *arg), void *arg);
void ims_pool_wait(pool *p); /* until everything queued is done */

/*
 * body(arg, i, worker) for every i in 0..n-1 on as many threads as the pool has, the calling one among them;
 * worker < ims_pool_threads(p). NULL pool: on the calling thread, worker 0. May be called by several threads at once, not from within a body.
 */
void ims_parallel(pool *p, size_t n, void (*body)(void *arg, size_t i, unsigned worker), void *arg);

/* CPUs this process may use (affinity and cgroup quota respected). */
unsigned ims_cpu_count(void);

double ims_now(void); /* monotonic seconds */

/* -------------------------------------------------------------------------------------------------- jobs ---- */

/* What every long piece of work gets: threads to use, a place to report to, and word of a cancel. */
typedef struct job {
	pool *pool;                    /* may be NULL */
	const imgsearch_events *events; /* may be NULL; only used on the calling thread */
	atomic_int *cancel;            /* may be NULL */
	double last_report;
} job;

/* Reports (at most ten times a second; always when done == total). Returns 0 or ECANCELED. Only on the calling thread. */
int ims_job_progress(job *j, const imgsearch_progress *p, imgsearch_error *err);
int ims_job_step(job *j, const char *stage, uint64_t done, uint64_t total, imgsearch_error *err);
bool ims_job_cancelled(const job *j); /* any thread */
void ims_job_log(job *j, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
