/* Copies of tensors that the shim passes to a callback. */
#include "train/tensor_list.h"

#include "model/weights.h"

#include <string.h>

void ims_tensor_list_free(tensor_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		ims_free((char *)(uintptr_t)l->item[i].name);
		ims_free((void *)(uintptr_t)l->item[i].data);
	}
	ims_free(l->item);
	*l = (tensor_list){ 0 };
}

int ims_tensor_list_add(tensor_list *l, const shim_tensor *t)
{
	shim_tensor *grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	l->item = grown;
	size_t bytes = ims_tensor_bytes(t);
	char *name = ims_strdup(t->name);
	void *data = ims_alloc(bytes, 1);
	if (!name || !data) {
		ims_free(name);
		ims_free(data);
		return IMGSEARCH_ENOMEM;
	}
	memcpy(data, t->data, bytes);
	l->item[l->n] = *t;
	l->item[l->n].name = name;
	l->item[l->n++].data = data;
	return 0;
}

static int add(void *user, const shim_tensor *t)
{
	return ims_tensor_list_add(user, t);
}

int ims_tensor_list_collect(tensor_list *l, run *r, uint32_t part, imgsearch_error *err)
{
	shim_message msg = { "" };
	int rc = r->shim->each(r->net, part, add, l, &msg);
	if (rc == IMGSEARCH_ENOMEM)
		return ims_nomem(err);
	return rc ? ims_train_shim_error(err, rc, "the network's tensors", &msg) : 0;
}
