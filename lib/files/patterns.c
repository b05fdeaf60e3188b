/* Patterns of options: parsed once, matched by files/wildcard.h. */
#include "files/patterns.h"

#include "files/wildcard.h"

#include <string.h>
#include <sys/stat.h>

/* The length without slashes at the end. */
static size_t without_slashes(const char *text)
{
	size_t n = strlen(text);
	while (n && text[n - 1] == '/')
		n--;
	return n;
}

/* Appends the path; `ordinary`: what is a wildcard in it is made an ordinary character. */
static void put_path(buf *b, const char *path, bool ordinary)
{
	for (; *path; path++) {
		if (ordinary && strchr("*?[\\", *path))
			ims_buf_u8(b, '\\');
		ims_buf_u8(b, (uint8_t)*path);
	}
}

/* The text, which the caller owns; NULL: memory is short. */
static char *take_text(buf *b)
{
	ims_buf_u8(b, 0);
	if (!b->failed)
		return (char *)b->data;
	ims_buf_free(b);
	return NULL;
}

/* Without the backslashes that make ordinary characters. NULL: memory is short. */
static char *without_escapes(const char *text)
{
	char *plain = ims_strdup(text), *to = plain;
	for (const char *from = text; plain && *from; from++) {
		from += *from == '\\' && from[1];
		*to++ = *from;
	}
	if (to)
		*to = 0;
	return plain;
}

static bool has_wildcard(const char *text)
{
	return text[strcspn(text, "*?[\\")] != 0;
}

/* Of a name at any depth below a folder: wildcards made ordinary. NULL: another kind. ENOMEM. */
static int name_below(const char *text, char **out)
{
	buf b = { 0 };
	const char *name = ims_path_name(text);
	*out = NULL;
	if (name - text < 4 || strncmp(name - 4, "/**/", 4) || !has_wildcard(name))
		return 0;
	ims_buf_text(&b, "%.*s", (int)(name - text), text);
	put_path(&b, name, true);
	*out = take_text(&b);
	return *out ? 0 : IMGSEARCH_ENOMEM;
}

/* What a pattern matches besides, as the name that it is itself. ENOMEM. */
static int add_plain(path_pattern *p)
{
	if (strchr(p->text, '\\') && !(p->plain = without_escapes(p->text)))
		return IMGSEARCH_ENOMEM;
	return p->anchored ? name_below(p->text, &p->named) : 0;
}

int ims_patterns_add(path_patterns *p, const char *given)
{
	path_pattern *grown = ims_grow(p->item, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	p->item = grown;
	path_pattern *added = &grown[p->n];
	const char *text = given;
	while (text[0] == '.' && text[1] == '/')
		text += 1 + strspn(text + 1, "/");
	size_t n = without_slashes(text);
	*added = (path_pattern){
		.given = ims_strdup(given),
		.text = ims_strndup(text, n),
		.folders_only = text[n] == '/',
		.anchored = text != given,
	};
	p->n++;
	char *composed = NULL;
	int rc = added->given && added->text ? ims_spelling_compose(added->text, &composed)
										 : IMGSEARCH_ENOMEM;
	if (composed) {
		ims_free(added->text);
		added->text = composed;
	}
	return rc ? rc : add_plain(added);
}

void ims_patterns_free(path_patterns *p)
{
	for (size_t i = 0; i < p->n; i++) {
		ims_free(p->item[i].given);
		ims_free(p->item[i].text);
		ims_free(p->item[i].plain);
		ims_free(p->item[i].named);
	}
	ims_free(p->item);
	*p = (path_patterns){ 0 };
}

/* -------------------------------------------------------------------------------- matching ---- */

static bool matches(const path_pattern *p, const char *path, const char *name)
{
	if (!strcmp(p->text, path) || (p->plain && !strcmp(p->plain, path)))
		return true;
	if (p->anchored)
		return ims_wildcard_matches(p->text, path, WILDCARD_UTF8 | WILDCARD_PATH)
			|| (p->named && ims_wildcard_matches(p->named, path, WILDCARD_UTF8 | WILDCARD_PATH));
	return !strcmp(p->text, name) || ims_wildcard_matches(p->text, name, WILDCARD_UTF8)
		|| ims_wildcard_matches(p->text, path, WILDCARD_UTF8);
}

static bool match_all(path_patterns *p, const char *path, bool folder)
{
	const char *name = ims_path_name(path);
	bool found = false;
	for (size_t i = 0; i < p->n; i++) {
		path_pattern *one = &p->item[i];
		bool here = *one->text && (folder || !one->folders_only) && matches(one, path, name);
		one->matched |= here;
		found |= here;
	}
	return found;
}

int ims_patterns_match(path_patterns *p, const char *path, bool folder, bool *out)
{
	char *composed;
	*out = false;
	if (!p->n)
		return 0;
	int rc = ims_spelling_compose(path, &composed);
	if (!rc)
		*out = match_all(p, composed ? composed : path, folder);
	ims_free(composed);
	return rc;
}

/* One pattern and the folders that a path lies in, whose slashes are cut off and put back. */
static bool matches_folder(const path_pattern *p, char *path)
{
	bool found = false;
	for (char *slash = strchr(path, '/'); !found && slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		found = matches(p, path, ims_path_name(path));
		*slash = '/';
	}
	return found;
}

int ims_patterns_match_below(path_patterns *p, const char *path, bool *out)
{
	char *copy;
	int rc = ims_spelling_compose(path, &copy);
	if (!rc && !copy)
		copy = ims_strdup(path);
	if (!copy)
		return IMGSEARCH_ENOMEM;
	*out = match_all(p, copy, false);
	for (size_t i = 0; i < p->n; i++) {
		path_pattern *one = &p->item[i];
		if (*one->text && (one->folders_only || one->anchored) && matches_folder(one, copy))
			*out = one->matched = true;
	}
	ims_free(copy);
	return 0;
}

/* ---------------------------------------------------------------------- absolute patterns ---- */

/* "./" and the path; NULL: memory is short. */
static char *as_pattern(const char *path, bool ordinary, bool folder)
{
	buf b = { 0 };
	ims_buf_text(&b, "./");
	put_path(&b, path, ordinary);
	if (folder && b.len > 2)
		ims_buf_u8(&b, '/');
	return take_text(&b);
}

int ims_pattern_of_path(const char *path, char **out)
{
	buf b = { 0 };
	put_path(&b, path, true);
	*out = take_text(&b);
	return *out ? 0 : IMGSEARCH_ENOMEM;
}

int ims_pattern_of_folder(const char *given, const char *folder, char **out)
{
	buf b = { 0 };
	const char *text = given;
	while (text[0] == '.' && text[1] == '/')
		text += 1 + strspn(text + 1, "/");
	size_t n = without_slashes(text);
	*out = NULL;
	if (!n)
		return 0;
	bool name = text == given && !memchr(text, '/', n);
	/* A path that is not anchored stays so, since its stars match slashes. */
	if (name || text != given)
		ims_buf_text(&b, "./");
	put_path(&b, folder, true);
	ims_buf_text(&b, name ? "/**/%s" : "/%s", text);
	*out = take_text(&b);
	return *out ? 0 : IMGSEARCH_ENOMEM;
}

/* The rest of the path below the root, both in NFC, within *owned. ENOMEM. */
static int below_in_other_spelling(const char *path, const char *root, char **owned,
	const char **below)
{
	char *folder = NULL;
	int rc = ims_spelling_compose(root, &folder);
	if (!rc)
		rc = ims_spelling_compose(path, owned);
	if (!rc && (folder || *owned))
		*below = ims_path_below(*owned ? *owned : path, folder ? folder : root);
	ims_free(folder);
	return rc;
}

/* The first n bytes of a path, resolved as far as a part is "." or "..". NULL: memory is short. */
static char *without_dots(const char *path, size_t n)
{
	char *copy = ims_strndup(path, n);
	if (!copy || !ims_path_has_dots(copy, true))
		return copy;
	bool last = ims_path_has_dots(ims_path_name(copy), true);
	char *folder = last ? ims_format("%s/", copy) : ims_strdup(copy);
	char *real = folder ? ims_path_resolve(folder) : NULL;
	ims_free(folder);
	ims_free(copy);
	return real;
}

int ims_pattern_below_root(const char *absolute, const char *root, char **out)
{
	struct stat st;
	size_t n = without_slashes(absolute);
	char *path = without_dots(absolute, n);
	char *real = path ? ims_path_resolve(path) : NULL;
	*out = NULL;
	if (!real) {
		ims_free(path);
		return IMGSEARCH_ENOMEM;
	}
	const char *below = ims_path_below(path, root);
	if (!below)
		below = ims_path_below(real, root);
	char *composed = NULL;
	int rc = below ? 0 : below_in_other_spelling(path, root, &composed, &below);
	if (below)
		*out = as_pattern(below, !lstat(path, &st), absolute[n] == '/');
	if (below && !*out)
		rc = IMGSEARCH_ENOMEM;
	ims_free(composed);
	ims_free(real);
	ims_free(path);
	return rc;
}
