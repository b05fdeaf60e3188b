/* Copies and checks. */
#include "engine/arguments.h"

#include "base/utf8.h"
#include "handle/condition.h"
#include "handle/filter.h"
#include "handle/handle.h"
#include "handle/input.h"

#include <string.h>

int ims_struct_copy(void *ours, size_t size, const void *theirs, const char *name,
	imgsearch_error *err)
{
	enum { LARGEST = 1 << 16 }; /* no struct of any version is larger */
	size_t given = size;
	memset(ours, 0, size);
	if (theirs) {
		memcpy(&given, theirs, sizeof given);
		REQUIRE(given >= sizeof given && given <= LARGEST, err,
			"%s: struct_size is %zu, not the size of the struct", name, given);
		for (size_t i = size; i < given; i++)
			if (((const unsigned char *)theirs)[i])
				return ims_fail(err, IMGSEARCH_EVERSION,
					"%s: sets a field that version %s does not have", name,
					imgsearch_version_text());
		memcpy(ours, theirs, given < size ? given : size);
	}
	memcpy(ours, &size, sizeof size);
	return 0;
}

int ims_handle_require(const imgsearch *s, const char *function, imgsearch_error *err)
{
	REQUIRE(s, err, "%s: s is NULL", function);
	REQUIRE(ims_handle_is_own(s), err,
		"%s: the handle belongs to another process, which forked this one: open the index here",
		function);
	return 0;
}

int ims_call_begin(imgsearch *s, const imgsearch_call *theirs, job *j, imgsearch_error *err)
{
	imgsearch_call call;
	int rc = COPY(call, theirs, err);
	if (!rc)
		*j = ims_handle_job(s, &call);
	return rc ? rc : ims_job_check(j, err);
}

/* Whether a path has a part "." or "..", which no path of the index has. */
static bool has_dots(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		size_t n = strcspn(part, "/");
		if ((n == 1 && *part == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return true;
	}
	return false;
}

int ims_filter_copy(imgsearch_filter *ours, const imgsearch_filter *theirs, imgsearch_error *err)
{
	imgsearch_filter filter;
	int rc = COPY(filter, theirs, err);
	*ours = filter;
	if (rc)
		return rc;
	REQUIRE(!filter.n_folders || filter.folders, err, "filter: n_folders without folders");
	REQUIRE(!filter.n_ids || filter.ids, err, "filter: n_ids without ids");
	for (size_t i = 0; filter.folders && i < filter.n_folders; i++) {
		REQUIRE(filter.folders[i], err, "filter: folder %zu is NULL", i);
		REQUIRE(!has_dots(filter.folders[i]), err,
			"filter: folder %zu: \"%s\" has a part \".\" or \"..\"", i, filter.folders[i]);
	}
	return ims_filter_check(&filter, err);
}

int ims_filter_copy_plain(const imgsearch_filter **filter, imgsearch_filter *copy,
	const char *function, imgsearch_error *err)
{
	int rc = *filter ? ims_filter_copy(copy, *filter, err) : 0;
	if (rc || !*filter)
		return rc;
	REQUIRE(!copy->accept, err, "%s: a filter with a function is not for this call", function);
	*filter = copy->folders || copy->ids || ims_filter_has_condition(copy) ? copy : NULL;
	return 0;
}

int ims_input_require(const imgsearch_input *in, const char *function, imgsearch_error *err)
{
	REQUIRE(in, err, "%s: the input is NULL", function);
	int rc = ims_input_check(in, err);
	if (rc)
		ims_error_prefix(err, "%s", function);
	return rc;
}

int ims_text_require(const char *text, const char *name, imgsearch_error *err)
{
	REQUIRE(!text || ims_utf8_is_valid(text), err, "%s is not UTF-8", name);
	return 0;
}
