/* A cache of uploads: a ring of entries. */
#include "cli/serve/upload_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ENTRIES = 64 };
#define BYTES_MAX ((size_t)128 << 20)

typedef struct entry {
	char name[UPLOAD_NAME]; /* "": free */
	void *data;
	size_t size;
} entry;

struct upload_cache {
	pthread_mutex_t lock;
	entry entry[ENTRIES];
	size_t next, bytes;
};

upload_cache *upload_cache_new(void)
{
	upload_cache *c = calloc(1, sizeof *c);
	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void upload_cache_free(upload_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		free(c->entry[i].data);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void drop(upload_cache *c, entry *e)
{
	c->bytes -= e->size;
	free(e->data);
	*e = (entry){ 0 };
}

static bool random_name(char name[UPLOAD_NAME])
{
	unsigned char random[(UPLOAD_NAME - 1) / 2];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return false;
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(name + 2 * i, 3, "%02x", random[i]);
	return true;
}

bool upload_cache_put(upload_cache *c, const void *data, size_t size, char name[UPLOAD_NAME])
{
	void *copy = size <= BYTES_MAX / 2 ? malloc(size + 1) : NULL;
	if (!copy || !random_name(name)) {
		free(copy);
		return false;
	}
	memcpy(copy, data, size);
	pthread_mutex_lock(&c->lock);
	entry *e = &c->entry[c->next];
	c->next = (c->next + 1) % ENTRIES;
	drop(c, e);
	for (size_t i = c->next; c->bytes + size > BYTES_MAX; i = (i + 1) % ENTRIES)
		drop(c, &c->entry[i]);
	*e = (entry){ .data = copy, .size = size };
	memcpy(e->name, name, sizeof e->name);
	c->bytes += size;
	pthread_mutex_unlock(&c->lock);
	return true;
}

void *upload_cache_get(upload_cache *c, const char *name, size_t *size)
{
	void *copy = NULL;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < ENTRIES && !copy && *name; i++)
		if (!strcmp(c->entry[i].name, name) && (copy = malloc(c->entry[i].size + 1))) {
			*size = c->entry[i].size;
			memcpy(copy, c->entry[i].data, *size);
		}
	pthread_mutex_unlock(&c->lock);
	return copy;
}
