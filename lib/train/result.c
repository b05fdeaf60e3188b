/* Writes the network and its card. */
#include "train/result.h"

#include "model/card.h"
#include "model/safetensors.h"
#include "train/tensor_list.h"

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
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: the name of the file to write must end in %s",
			out, ending);
	if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		return ims_fail(err, IMGSEARCH_EIO, "%s is a folder", out);
	char *folder = slash ? ims_strndup(out, (size_t)(slash + 1 - out)) : ims_strdup("./");
	int rc = !folder                  ? ims_nomem(err)
		: access(folder, W_OK | X_OK) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", out)
									  : 0;
	ims_free(folder);
	return rc;
}

static void describe(const run *r, model_card *card)
{
	const imgsearch_train_options *o = r->o;
	const char *name = o->name ? o->name : ims_path_name(o->out);
	size_t length = o->name ? strlen(name) : ims_path_stem(name);
	snprintf(card->name, sizeof card->name, "%.*s", (int)length, name);
	snprintf(card->network, sizeof card->network, "%s", r->id.network);
	card->recipe = r->recipe;
	if (o->descent)
		snprintf(card->descent, sizeof card->descent, "%s", o->descent);
	else
		snprintf(card->descent, sizeof card->descent, "from %s (%.12s)%s%.200s", r->id.name,
			r->id.weights_hash, o->teachers ? ", taught by " : "",
			o->teachers ? r->distillation.names : "");
	snprintf(card->licence, sizeof card->licence, "%s", o->licence ? o->licence : "");
	snprintf(card->note, sizeof card->note, "%s", o->note ? o->note : "");
}

int ims_result_write(run *r, imgsearch_error *err)
{
	tensor_list l = { 0 };
	buf text = { 0 };
	model_card card = { 0 };
	char *path = ims_card_path(r->o->out);
	int rc = path ? ims_tensor_list_collect(&l, r,
						r->o->f32        ? SHIM_PART_NETWORK
							: r->o->int8 ? SHIM_PART_INT8
										 : SHIM_PART_HALF,
						err)
				  : ims_nomem(err);
	if (!rc) {
		describe(r, &card);
		card.dim = r->shim->width(r->net);
		for (size_t i = 0; i < l.n; i++)
			if (!strcmp(l.item[i].name, "project.weight"))
				card.projection = 1, card.dim = (uint32_t)l.item[i].shape[0];
		if (ims_card_text(&text, &card))
			rc = ims_nomem(err);
	}
	if (!rc)
		rc = ims_safetensors_write(r->o->out, l.item, l.n, err);
	if (!rc)
		rc = ims_replace_file(path, &(file_piece){ text.data, text.len }, 1, err);
	ims_tensor_list_free(&l);
	ims_buf_free(&text);
	ims_free(path);
	return rc;
}
