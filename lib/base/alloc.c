/* Arrays whose size cannot overflow. A count of allocations lets a test fail the n-th. */
#include "base/alloc.h"

#include "base/c_locale.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_uint_fast64_t made, fail_at;

uint64_t ims_alloc_fail_after(uint64_t n)
{
	atomic_store(&fail_at, n);
	return atomic_exchange(&made, 0);
}

/* Counts an allocation. Returns its size in bytes, at least 1; 0: it must fail. */
static size_t size_of(size_t n, size_t item)
{
	size_t size;
	uint64_t number = atomic_fetch_add_explicit(&made, 1, memory_order_relaxed) + 1;
	if (number == atomic_load_explicit(&fail_at, memory_order_relaxed))
		return 0;
	if (__builtin_mul_overflow(n, item, &size) || size > PTRDIFF_MAX)
		return 0;
	return size ? size : 1;
}

void *ims_alloc(size_t n, size_t item)
{
	size_t size = size_of(n, item);
	return size ? malloc(size) : NULL;
}

void *ims_zalloc(size_t n, size_t item)
{
	size_t size = size_of(n, item);
	return size ? calloc(1, size) : NULL;
}

void *ims_realloc(void *p, size_t n, size_t item)
{
	size_t size = size_of(n, item);
	return size ? realloc(p, size) : NULL;
}

void *ims_grow(void *p, size_t n, size_t *cap, size_t item)
{
	if (n < *cap)
		return p;
	size_t more = n ? 2 * n : 16;
	p = ims_realloc(p, more, item);
	if (p)
		*cap = more;
	return p;
}

void *ims_alloc_aligned(size_t n, size_t item)
{
	enum { LINE = 64, HUGE = 1 << 21 };
	size_t size = size_of(n, item), unit = size >= 2 * HUGE ? HUGE : LINE;
	void *p;
	if (!size || posix_memalign(&p, unit, (size + LINE - 1) & ~(size_t)(LINE - 1)))
		return NULL;
	if (unit == HUGE) /* random reads of a large array miss the TLB at every step on small pages */
		madvise(p, size & ~(size_t)(HUGE - 1), MADV_HUGEPAGE);
	return p;
}

void ims_free(void *p)
{
	free(p);
}

char *ims_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = ims_alloc(len + 1, 1);
	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

char *ims_strdup(const char *s)
{
	return ims_strndup(s, SIZE_MAX - 1);
}

char *ims_format(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = ims_vprint(NULL, 0, format, args);
	va_end(args);
	char *text = n < 0 ? NULL : ims_alloc((size_t)n + 1, 1);
	if (!text)
		return NULL;
	va_start(args, format);
	ims_vprint(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}
