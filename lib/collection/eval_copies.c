/*
 * Altered copies of pictures of the index, by common edits, as queries. Each copy has its original
 * as the relevant row, and is counted under its edit.
 */
#include "collection/eval_state.h"

#include "image/alter.h"

enum { KINDS = IMS_ALTERATIONS_ALL, MAX_SIDE = 800 };

/* Decodes the original and scales it to MAX_SIDE. */
static int load_original(const evaluation *e, const char *path, image *out, imgsearch_error *err)
{
	buf bytes = { 0 };
	image whole = { 0 };
	image_limits limits = ims_handle_item_limits(e->s);
	limits.full_decode = 1;
	*out = (image){ 0 };
	int rc = ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, err);
	if (!rc)
		rc = ims_image_decode(&whole, NULL, bytes.data, bytes.len, &limits, NULL, err);
	double shrink = rc
		? 1
		: (double)MAX_SIDE / (whole.width > whole.height ? whole.width : whole.height);
	if (!rc && shrink < 1)
		rc = ims_image_resize(out, &whole, (uint32_t)(whole.width * shrink) + 1,
			(uint32_t)(whole.height * shrink) + 1, false, NULL, err);
	else if (!rc) {
		*out = whole;
		whole = (image){ 0 };
	}
	ims_image_free(&whole);
	ims_buf_free(&bytes);
	return rc;
}

/* Adds a query for each kind of copy of the row's picture. */
static int add_copies(evaluation *e, size_t row, imgsearch_error *err)
{
	image original, copy[KINDS] = { { 0 } };
	imgsearch_input in[KINDS];
	uint8_t bad[KINDS] = { 0 };
	imgsearch_error why = { 0 };
	uint64_t random = e->options->seed + row;
	float *out = e->query_rows + e->n_queries * e->dim;
	int rc = load_original(e, e->path[row], &original, &why);
	if (rc) { /* the file is missing or changed: another picture is used */
		e->failed++;
		return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : 0;
	}
	for (int k = 0; !rc && k < KINDS; k++) {
		rc = ims_image_alter(&copy[k], &original, (unsigned)k, &random, err);
		in[k] = imgsearch_input_pixels(copy[k].pixels, (int32_t)copy[k].width,
			(int32_t)copy[k].height, 0);
	}
	if (!rc)
		rc = ims_eval_features(e, in, KINDS, out, bad, err);
	if (!rc && e->region_rows)
		rc = ims_eval_region_rows(e, in, KINDS, e->region_rows + e->n_queries * e->dim, bad, err);
	size_t first = e->n_relevant;
	if (!rc)
		rc = ims_eval_add_relevant(e, row, err);
	for (uint32_t k = 0; !rc && k < KINDS; k++)
		rc = ims_eval_add_query(e,
			&(eval_query){ .row = NO_ROW,
				.label = NO_LABEL,
				.group = k,
				.first = first,
				.n = !bad[k] },
			err);
	for (int k = 0; k < KINDS; k++)
		ims_image_free(&copy[k]);
	ims_image_free(&original);
	return rc;
}

static int name_kinds(evaluation *e, imgsearch_error *err)
{
	for (size_t i = 0; i < e->classes; i++)
		ims_free(e->class_name[i]);
	ims_free(e->class_name);
	e->classes = 0;
	e->class_name = ims_zalloc(KINDS, sizeof *e->class_name);
	for (; e->class_name && e->classes < KINDS; e->classes++)
		if (!(e->class_name[e->classes] = ims_strdup(ims_image_alteration((unsigned)e->classes))))
			return ims_nomem(err);
	return e->class_name ? 0 : ims_nomem(err);
}

int ims_eval_fill_from_copies(evaluation *e, imgsearch_error *err)
{
	size_t pictures = 0, used = 0, wanted = e->options->duplicates;
	int rc = name_kinds(e, err);
	for (size_t i = 0; i < e->n; i++)
		pictures += e->path[i] != NULL;
	wanted = wanted < pictures ? wanted : pictures;
	if (!rc && !(e->query_rows = ims_alloc_aligned(wanted * KINDS + 1, e->dim * sizeof(float))))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_eval_load_regions(e, wanted * KINDS + 1, err);
	for (size_t i = 0, seen = 0; !rc && i < e->n && used < wanted; i++) {
		if (!e->path[i] || seen++ * wanted / pictures < used)
			continue;
		used++;
		rc = add_copies(e, i, err);
		if (!rc)
			rc = ims_job_step(e->job, "copies", used, wanted, err);
	}
	return rc;
}
