/*
 * Models: published weights of the networks, with their publishers, licences, recipes and files.
 * They are read from models.jsonl beside the library, and from a second one, the user's own, in
 * imgsearch/models of the XDG data folder, whose models replace those of the same name.
 * docs/models.md describes the lines. Any thread.
 */
#ifndef IMS_MODEL_PUBLISHED_H
#define IMS_MODEL_PUBLISHED_H

#include "base/base.h"
#include "image/image.h"

typedef struct published_file {
	char url[512];
	char name[128]; /* under which it is kept: no slash, no dot first */
	/* 0: not known; slack: how many bytes more or less there may be, 0: exact */
	uint64_t bytes, slack;
	char sha256[SHA256_TEXT]; /* the first 8 digits or more, lower case; "": not stated */
	char sha256_from[160];    /* where it was read; "": nowhere */
	/* of a file that was added: what its hash was checked against, "": nothing; and when */
	char checked[200], added[32];
} published_file;

typedef struct published {
	char name[64], network[32]; /* network: of the catalogue, or "script" */
	char publisher[64], licence[64];
	char terms[128]; /* the licence that restricts use and must be accepted; "": none does */
	char good_at[160];
	char template[128];    /* of texts, as in a card; "": the network's own */
	image_recipe recipe;   /* complete */
	bool suggested;        /* one of the few to choose from first */
	uint32_t dim;          /* of the feature; 0: a script's, not known */
	published_file *files; /* n_files, at least one; the first is the weights, or their index */
	size_t n_files;
} published;

typedef struct published_list {
	published *item; /* n, in the order of the files */
	size_t n, cap;
} published_list;

/*
 * Reads both files; one that is absent has no models. EFORMAT names file, line and reason; EIO,
 * ENOMEM. ims_published_free also after a failure.
 */
int ims_published_read(published_list *out, imgsearch_error *err);
void ims_published_free(published_list *l);

/* Appends the models of a text of such lines; `path` is for the sentence. */
int ims_published_parse(published_list *l, const void *text, size_t n, const char *path,
	imgsearch_error *err);

/*
 * One model as a record of one that was added, as ims_published_text writes it: its files may have
 * no address. ims_published_clear frees *out, also after a failure. EFORMAT, ENOMEM.
 */
int ims_published_record(published *out, const void *text, size_t n, imgsearch_error *err);
void ims_published_text(buf *out, const published *m); /* without the recipe, which a card has */
void ims_published_clear(published *m);

/* The model of that name, borrowed from l; NULL: there is none. */
const published *ims_published_find(const published_list *l, const char *name);

/* Whether there is a model of that name; false too where the lists cannot be read. */
bool ims_published_has(const char *name);

/*
 * The model whose weights the file is, by size and SHA-256, borrowed from l; *out is NULL where
 * there is none. The file is hashed only where the size is that of a model, or a model of the same
 * ending states a hash and no size. ENOTFOUND, EIO, ENOMEM.
 */
int ims_published_of_file(const published_list *l, const char *path, const published **out,
	imgsearch_error *err);

/* Whether a file has the size that is stated; true where none is. */
bool ims_published_has_size(const published_file *f, uint64_t bytes);

/* Each model; one other than 0 from each stops and is returned. Errors as ims_published_read. */
int ims_published_each(int (*each)(void *user, const published *p), void *user,
	imgsearch_error *err);

/* Whether a model or a file of one may have that name: letters, digits and "._-", no dot first. */
bool ims_published_is_name(const char *name);

#endif
