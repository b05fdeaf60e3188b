/* What every function of the façade does before it delegates: it checks what callers give. */
#ifndef IMS_ENGINE_ARGUMENTS_H
#define IMS_ENGINE_ARGUMENTS_H

#include "base/base.h"

/* Returns EINVAL with a sentence that names the function and the argument, unless `condition`. */
#define REQUIRE(condition, err, ...) \
	do { \
		if (!(condition)) \
			return ims_fail(err, IMGSEARCH_EINVAL, __VA_ARGS__); \
	} while (0)

/*
 * EINVAL for a handle that is NULL or belongs to the process that forked this one: its threads are
 * not here, and SQLite does not allow its use.
 */
int ims_handle_require(const imgsearch *s, const char *function, imgsearch_error *err);
#define REQUIRE_HANDLE(s, function, err) \
	do { \
		int handle_rc = ims_handle_require(s, function, err); \
		if (handle_rc) \
			return handle_rc; \
	} while (0)

/*
 * ours (size bytes) receives a complete copy of the caller's struct, whose first member is
 * struct_size; what an older caller does not know is zero. theirs NULL: all zero. name is for the
 * sentence. EINVAL: struct_size is not set; EVERSION: a newer caller set a field that this version
 * does not know.
 */
int ims_struct_copy(void *ours, size_t size, const void *theirs, const char *name,
	imgsearch_error *err);
#define COPY(ours, theirs, err) ims_struct_copy(&(ours), sizeof(ours), theirs, #ours, err)

/* Begins a call: a job from a checked copy. */
int ims_call_begin(imgsearch *s, const imgsearch_call *call, job *j, imgsearch_error *err);

/* A checked copy. EINVAL: a path or a condition that is malformed. */
int ims_filter_copy(imgsearch_filter *ours, const imgsearch_filter *theirs, imgsearch_error *err);

/*
 * A checked copy, as above, of a filter that may have no function. *filter becomes NULL where it
 * allows all, else points to the copy.
 */
int ims_filter_copy_plain(const imgsearch_filter **filter, imgsearch_filter *copy,
	const char *function, imgsearch_error *err);

/* An input that may be asked or added: kind, pointers, reserved fields, a text. */
int ims_input_require(const imgsearch_input *in, const char *function, imgsearch_error *err);

/* EINVAL where a text is not UTF-8; NULL is fine. */
int ims_text_require(const char *text, const char *name, imgsearch_error *err);

#endif
