/*
 * What a run leaves on disk: its checkpoint (a .safetensors file of everything that a step changes, with the key of the
 * run) and its result (the network and the card). Each is written beside its place, synced and renamed, so that a kill
 * leaves the old one or the new one.
 */
#include "train/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ims_result_check(const char *out, imgsearch_error *err)
{
	static const char ending[] = ".safetensors";
	size_t n = strlen(out), end = sizeof ending - 1;
	const char *slash = strrchr(out, '/');
	struct stat st;
	if (n <= end || strcmp(out + n - end, ending))
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: the name of the file to write must end in %s", out, ending);
	if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		return ims_fail(err, IMGSEARCH_EIO, "%s is a folder", out);
	char *folder = slash ? ims_strndup(out, (size_t)(slash + 1 - out)) : ims_strdup("./");
	int rc = !folder ? ims_nomem(err) : access(folder, W_OK | X_OK) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", out) : 0;
	ims_free(folder);
	return rc;
}

/* Copies of tensors that are only lent for a callback. */
typedef struct tensor_list {
	shim_tensor *item;
	size_t n, cap;
} tensor_list;

static void list_free(tensor_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		ims_free((char *)(uintptr_t)l->item[i].name);
		ims_free((void *)(uintptr_t)l->item[i].data);
	}
	ims_free(l->item);
	*l = (tensor_list){ 0 };
}

static size_t tensor_bytes(const shim_tensor *t)
{
	size_t n = ims_dtype_size(t->dtype);
	for (uint32_t i = 0; i < t->ndim; i++)
		n *= (size_t)t->shape[i];
	return n;
}

static int list_add(void *user, const shim_tensor *t)
{
	tensor_list *l = user;
	shim_tensor *grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	l->item = grown;
	size_t bytes = tensor_bytes(t);
	char *name = ims_strdup(t->name);
	void *data = ims_alloc(bytes ? bytes : 1, 1);
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

static int collect(run *r, uint32_t part, tensor_list *l, imgsearch_error *err)
{
	shim_message msg = { "" };
	int rc = r->shim->each(r->net, part, list_add, l, &msg);
	if (rc == IMGSEARCH_ENOMEM)
		return ims_nomem(err);
	return rc ? ims_train_shim_error(err, rc, "the network's tensors", &msg) : 0;
}

/* ---- checkpoints ---- */

static char *checkpoint_path(const run *r)
{
	return ims_format("%s.checkpoint", r->o->out);
}

enum { STATE_STEP, STATE_SINCE_BEST, STATE_BEST, STATE_SIZE };

int ims_checkpoint_write(run *r, imgsearch_error *err)
{
	tensor_list l = { 0 };
	int64_t state[STATE_SIZE] = { [STATE_STEP] = (int64_t)r->step, [STATE_SINCE_BEST] = r->since_best };
	memcpy(&state[STATE_BEST], &r->best, sizeof r->best);
	shim_tensor key = { "run.key", r->key.byte, SHIM_I8, 1, { sizeof r->key.byte } };
	shim_tensor where = { "run.state", state, SHIM_I64, 1, { STATE_SIZE } };
	char *path = checkpoint_path(r);
	int rc = path ? collect(r, SHIM_PART_TRAINING, &l, err) : ims_nomem(err);
	if (!rc && (list_add(&l, &key) || list_add(&l, &where)))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_weights_write(path, l.item, l.n, err);
	list_free(&l);
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
	const shim_tensor *key = find(w, "run.key", SHIM_I8, sizeof r->key.byte), *where = find(w, "run.state", SHIM_I64, STATE_SIZE);
	shim_message msg = { "" };
	int64_t state[STATE_SIZE];
	if (!key || !where)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s is no checkpoint of a training run", path);
	if (memcmp(key->data, r->key.byte, sizeof r->key.byte))
		return ims_fail(err, IMGSEARCH_EVERSION, "%s is of another run: pictures, network or options have changed since; "
			"start over with --restart, or write elsewhere", path);
	int rc = r->shim->restore(r->net, w->tensor, w->n, &msg);
	if (rc)
		return ims_train_shim_error(err, rc, path, &msg);
	memcpy(state, where->data, sizeof state);
	if (state[STATE_STEP] < 0 || (uint64_t)state[STATE_STEP] > r->steps || state[STATE_SINCE_BEST] < 0)
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
			rc = ims_fail(err, IMGSEARCH_EBUSY, "%s is left of a run that did not end: go on with --resume, or start over with --restart", path);
		else if (!(rc = ims_weights_open(&w, path, err)))
			rc = restore(r, &w, path, err);
	}
	ims_weights_free(&w);
	ims_free(path);
	return rc;
}

void ims_checkpoint_remove(run *r)
{
	static const char *const ending[] = { ".checkpoint", ".checkpoint.part", ".teach" }; /* .part: of a kill */
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
		char *path = ims_format("%s%s", r->o->out, ending[i]);
		if (path)
			unlink(path);
		ims_free(path);
	}
}

/* ---- the result ---- */

static int write_file(const char *path, const buf *text, imgsearch_error *err)
{
	char *part = ims_format("%s.part", path);
	FILE *f = part ? fopen(part, "wbe") : NULL;
	int rc = part ? 0 : ims_nomem(err);
	if (part && (!f || fwrite(text->data, 1, text->len, f) != text->len || fflush(f) || fsync(fileno(f))))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", part);
	if (f && fclose(f) && !rc)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", part);
	if (!rc && rename(part, path))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (rc && f)
		unlink(part);
	ims_free(part);
	return rc;
}

/* Name and path of the card from those of the weights: "dir/pets.safetensors" has "pets" and "dir/pets.json". */
static char *stem_of(const char *out)
{
	const char *slash = strrchr(out, '/'), *dot = strrchr(slash ? slash : out, '.');
	return ims_strndup(out, dot ? (size_t)(dot - out) : strlen(out));
}

static void describe(const run *r, model_card *card, const char *stem)
{
	const imgsearch_train_options *o = r->o;
	const char *slash = strrchr(stem, '/');
	snprintf(card->name, sizeof card->name, "%s", o->name ? o->name : slash ? slash + 1 : stem);
	snprintf(card->network, sizeof card->network, "%s", r->id.network);
	card->recipe = r->recipe;
	if (o->descent)
		snprintf(card->descent, sizeof card->descent, "%s", o->descent);
	else
		snprintf(card->descent, sizeof card->descent, "from %s (%.12s)%s%.200s", r->id.name, r->id.weights_hash,
			o->teachers ? ", taught by " : "", o->teachers ? r->teach.names : "");
	snprintf(card->licence, sizeof card->licence, "%s", o->licence ? o->licence : "");
	snprintf(card->note, sizeof card->note, "%s", o->note ? o->note : "");
}

int ims_result_write(run *r, imgsearch_error *err)
{
	tensor_list l = { 0 };
	buf text = { 0 };
	model_card card = { 0 };
	char *stem = stem_of(r->o->out), *path = stem ? ims_format("%s.json", stem) : NULL;
	int rc = path ? collect(r, r->o->f32 ? SHIM_PART_NETWORK : r->o->int8 ? SHIM_PART_INT8 : SHIM_PART_HALF, &l, err) : ims_nomem(err);
	if (!rc) {
		describe(r, &card, stem);
		card.dim = r->shim->width(r->net);
		for (size_t i = 0; i < l.n; i++)
			if (!strcmp(l.item[i].name, "project.weight"))
				card.projection = 1, card.dim = (uint32_t)l.item[i].shape[0];
		if (ims_card_text(&text, &card))
			rc = ims_nomem(err);
	}
	if (!rc)
		rc = ims_weights_write(r->o->out, l.item, l.n, err);
	if (!rc)
		rc = write_file(path, &text, err);
	list_free(&l);
	ims_buf_free(&text);
	ims_free(path);
	ims_free(stem);
	return rc;
}
