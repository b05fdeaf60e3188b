/* The result of a pickle: tensors of a state dict, or texts of a list. */
#include "model/pickle_node.h"

static const char *const state_keys[] = { "state_dict", "model_state_dict", "model", "model_ema" };

/* The dict itself, or the one that a training checkpoint has under one of the keys. */
static const node *state_dict(const pickle *p)
{
	const node *root = p->stack.len ? ims_pickle_node(p, p->stack.item[0], N_DICT) : NULL;
	for (uint32_t i = 0; root && i + 1 < root->len; i += 2) {
		const node *key = ims_pickle_node(p, root->item[i], N_TEXT),
				   *inner = ims_pickle_node(p, root->item[i + 1], N_DICT);
		for (size_t k = 0; key && inner && k < sizeof state_keys / sizeof *state_keys; k++)
			if (ims_pickle_same(key->text, key->len, state_keys[k]))
				return inner;
	}
	return root;
}

static bool dimensions(const pickle *p, uint32_t list, int64_t *out, uint32_t *n)
{
	const node *l = &p->node[list];
	if (l->len > SHIM_MAX_NDIM)
		return false;
	for (uint32_t i = 0; i < l->len; i++) {
		const node *v = ims_pickle_node(p, l->item[i], N_INT);
		if (!v)
			return false;
		out[i] = v->integer;
	}
	*n = l->len;
	return true;
}

static bool describe(const pickle *p, const node *key, const node *tensor, pickle_tensor *out)
{
	const node *args = &p->node[tensor->args], *storage = &p->node[tensor->storage];
	uint32_t strides = 0;
	*out = (pickle_tensor){ .view = { .name = key->text,
								.name_len = key->len,
								.strided = true,
								.dtype = p->node[storage->type].global->dtype,
								.offset = p->node[args->item[1]].integer } };
	out->key = p->node[storage->key].text;
	out->key_len = p->node[storage->key].len;
	if (out->view.name_len > 7 && !memcmp(out->view.name, "module.", 7)) /* DataParallel's */
		out->view.name += 7, out->view.name_len -= 7;
	return dimensions(p, args->item[2], out->view.shape, &out->view.ndim)
		&& dimensions(p, args->item[3], out->view.stride, &strides) && strides == out->view.ndim;
}

static int refuse_empty(const pickle *p, const node *dict, imgsearch_error *err)
{
	const node *key = dict->len ? ims_pickle_node(p, dict->item[0], N_TEXT) : NULL;
	return ims_fail(err, IMGSEARCH_EFORMAT,
		"no tensors at the top, nor below \"%s\", \"%s\", \"%s\" or \"%s\"%s%.*s%s", state_keys[0],
		state_keys[1], state_keys[2], state_keys[3], key ? "; the first key is \"" : "",
		key ? (int)(key->len > 60 ? 60 : key->len) : 0, key ? key->text : "", key ? "\"" : "");
}

int ims_pickle_tensors(pickle *p,
	int (*each)(void *user, const pickle_tensor *t, imgsearch_error *err), void *user,
	imgsearch_error *err)
{
	const node *dict = state_dict(p);
	bool any = false;
	if (!dict)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the pickle holds no state dict");
	for (uint32_t i = 0; i + 1 < dict->len; i += 2) {
		const node *key = ims_pickle_node(p, dict->item[i], N_TEXT),
				   *tensor = ims_pickle_node(p, dict->item[i + 1], N_TENSOR);
		pickle_tensor t;
		if (!key || !tensor)
			continue; /* for example the epoch */
		any = true;
		if (!describe(p, key, tensor, &t))
			return ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.*s\" has an impossible shape",
				(int)(key->len > 120 ? 120 : key->len), key->text);
		int rc = each(user, &t, err);
		if (rc)
			return rc;
	}
	return any ? 0 : refuse_empty(p, dict, err);
}

bool ims_pickle_string(const pickle *p, size_t i, const char **s, size_t *len)
{
	const node *list = p->stack.len ? ims_pickle_node(p, p->stack.item[0], N_LIST) : NULL;
	const node *text = list && i < list->len ? ims_pickle_node(p, list->item[i], N_TEXT) : NULL;
	if (!text)
		return false;
	*s = text->text;
	*len = text->len;
	return true;
}
