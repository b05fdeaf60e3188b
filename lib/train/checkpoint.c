/*
 * Stores the tensors of a run as a .safetensors file, with two tensors more: run.key and run.state.
 */
#include "train/checkpoint.h"

#include "model/safetensors.h"
#include "train/tensor_list.h"

#include <string.h>
#include <unistd.h>

static char *checkpoint_path(const run *r)
{
	return ims_format("%s.checkpoint", r->o->out);
}

enum { STATE_STEP, STATE_SINCE_BEST, STATE_BEST, STATE_SIZE };

int ims_checkpoint_write(run *r, imgsearch_error *err)
{
	tensor_list l = { 0 };
	int64_t
		state[STATE_SIZE] = { [STATE_STEP] = (int64_t)r->step, [STATE_SINCE_BEST] = r->since_best };
	memcpy(&state[STATE_BEST], &r->best, sizeof r->best);
	shim_tensor key = { "run.key", r->key.byte, SHIM_I8, 1, { sizeof r->key.byte } };
	shim_tensor where = { "run.state", state, SHIM_I64, 1, { STATE_SIZE } };
	char *path = checkpoint_path(r);
	int rc = path ? ims_tensor_list_collect(&l, r, SHIM_PART_TRAINING, err) : ims_nomem(err);
	if (!rc && (ims_tensor_list_add(&l, &key) || ims_tensor_list_add(&l, &where)))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_safetensors_write(path, l.item, l.n, err);
	ims_tensor_list_free(&l);
	ims_free(path);
	return rc;
}

static const shim_tensor *find(const weights *w, const char *name, uint32_t dtype, int64_t n)
{
	for (size_t i = 0; i < w->n; i++) {
		const shim_tensor *t = &w->tensor[i];
		if (!strcmp(t->name, name))
			return t->dtype == dtype && t->ndim == 1 && t->shape[0] == n ? t : NULL;
	}
	return NULL;
}

static int restore(run *r, const weights *w, const char *path, imgsearch_error *err)
{
	const shim_tensor *key = find(w, "run.key", SHIM_I8, sizeof r->key.byte),
					  *where = find(w, "run.state", SHIM_I64, STATE_SIZE);
	shim_message msg = { "" };
	int64_t state[STATE_SIZE];
	if (!key || !where)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s is no checkpoint of a training run", path);
	if (memcmp(key->data, r->key.byte, sizeof r->key.byte))
		return ims_fail(err, IMGSEARCH_EVERSION,
			"%s belongs to another run: pictures, network or options have changed since", path);
	int rc = r->shim->restore(r->net, w->tensor, w->n, &msg);
	if (rc)
		return ims_train_shim_error(err, rc, path, &msg);
	memcpy(state, where->data, sizeof state);
	if (state[STATE_STEP] < 0 || (uint64_t)state[STATE_STEP] > r->steps
		|| state[STATE_SINCE_BEST] < 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s is damaged", path);
	r->step = (uint64_t)state[STATE_STEP];
	r->since_best = (uint32_t)state[STATE_SINCE_BEST];
	memcpy(&r->best, &state[STATE_BEST], sizeof r->best);
	return 0;
}

int ims_checkpoint_resume(run *r, imgsearch_error *err)
{
	weights w = { 0 };
	char *path = checkpoint_path(r);
	int rc = 0;
	if (!path)
		return ims_nomem(err);
	if (access(path, F_OK) == 0 && !r->o->restart) {
		if (!r->o->resume)
			rc = ims_fail(err, IMGSEARCH_EEXIST,
				"%s belongs to an unfinished run, and neither resume nor restart is set", path);
		else if (!(rc = ims_weights_open(&w, path, err)))
			rc = restore(r, &w, path, err);
	}
	ims_weights_free(&w);
	ims_free(path);
	return rc;
}

void ims_checkpoint_remove(run *r)
{
	static const char *const ending[] = { ".checkpoint", ".checkpoint.part",
		".teach" }; /* .part: left by a kill */
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
		char *path = ims_format("%s%s", r->o->out, ending[i]);
		if (path)
			unlink(path);
		ims_free(path);
	}
}
