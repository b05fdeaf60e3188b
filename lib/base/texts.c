#include "base/base.h"

#include <string.h>

int ims_texts_add(text_list *l, char *text)
{
	char **grown = text ? ims_grow(l->item, l->n, &l->cap, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(text);
		return IMGSEARCH_ENOMEM;
	}
	l->item = grown;
	l->item[l->n++] = text;
	return 0;
}

int ims_texts_add_new(text_list *l, char *text)
{
	if (!text || !ims_texts_have(l, text, strlen(text)))
		return ims_texts_add(l, text);
	ims_free(text);
	return 0;
}

bool ims_texts_have(const text_list *l, const char *text, size_t n)
{
	for (size_t i = l->n; i-- > 0;) /* the last one first: walks come folder by folder */
		if (!strncmp(l->item[i], text, n) && !l->item[i][n])
			return true;
	return false;
}

void ims_texts_free(text_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ims_free(l->item[i]);
	ims_free(l->item);
	*l = (text_list){ 0 };
}
