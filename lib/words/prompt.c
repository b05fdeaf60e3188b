#include "words/prompt.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

/* White_Space of Unicode, beyond ASCII. */
static bool is_wide_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
		|| c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool is_blank(const char *text)
{
	uint32_t c = 0;
	for (size_t n = 1; *text && n; text += n) {
		n = ims_utf8_read(text, &c);
		if (!(c == ' ' || (c >= '\t' && c <= '\r') || is_wide_space(c)))
			return false;
	}
	return true;
}

/* What any text must be; `what` begins the sentence. */
static int check(const char *text, const char *what, imgsearch_error *err)
{
	if (strnlen(text, PROMPT_MOST + 1) > PROMPT_MOST)
		return ims_fail(err, IMGSEARCH_ELIMIT, "%s is longer than %d bytes", what, PROMPT_MOST);
	if (!ims_utf8_is_valid(text))
		return ims_fail(err, IMGSEARCH_EINVAL, "%s is not UTF-8", what);
	return 0;
}

int ims_prompt_check(const char *text, imgsearch_error *err)
{
	if (!text)
		return ims_fail(err, IMGSEARCH_EINVAL, "the text is NULL");
	int rc = check(text, "the text", err);
	if (!rc && is_blank(text))
		rc = ims_fail(err, IMGSEARCH_EINVAL, "the text is empty%s",
			*text ? ": it has nothing but white space" : "");
	return rc;
}

int ims_prompt_check_template(const char *text_template, imgsearch_error *err)
{
	int rc = text_template ? check(text_template, "the template of texts", err) : 0;
	if (!rc && text_template && !strstr(text_template, "{}"))
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"the template of texts has no {} in the place of the text");
	return rc;
}

char *ims_prompt_make(const char *text_template, const char *text)
{
	const char *at = strstr(text_template, "{}");
	return ims_format("%.*s%s%s", at ? (int)(at - text_template) : 0, text_template, text,
		at ? at + 2 : "");
}
