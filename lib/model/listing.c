/* Reports the default model, published and added ones, and the networks without any. */
#include "model/listing.h"

#include "model/added.h"
#include "model/card.h"
#include "model/catalog.h"
#include "model/published.h"

#include <stdio.h>
#include <string.h>

typedef struct listing {
	imgsearch_model_fn each;
	void *user;
	published_list list;
	text_list added; /* names */
} listing;

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void set_recipe(imgsearch_model *out, const image_recipe *r, uint32_t dim)
{
	out->dim = dim, out->resize = r->resize, out->crop = r->crop, out->squash = r->squash;
	out->interpolation = r->bicubic ? IMGSEARCH_INTERPOLATION_BICUBIC
									: IMGSEARCH_INTERPOLATION_BILINEAR;
	memcpy(out->mean, r->mean, sizeof out->mean);
	memcpy(out->std, r->std, sizeof out->std);
}

static void set_texts(imgsearch_model *out, const published *m)
{
	out->network = m->network;
	out->publisher = or_null(m->publisher);
	out->licence = or_null(m->licence);
	out->terms = or_null(m->terms);
	out->good_at = or_null(m->good_at);
	out->suggested = m->suggested;
}

static void set_file(imgsearch_model_file *out, const published_file *f, const published *record)
{
	*out = (imgsearch_model_file){ .struct_size = sizeof *out,
		.name = f->name,
		.url = or_null(f->url),
		.sha256 = or_null(f->sha256),
		.sha256_from = or_null(f->sha256_from),
		.bytes = f->bytes,
		.bytes_off = f->slack };
	for (size_t i = 0; record && i < record->n_files; i++)
		if (!strcmp(record->files[i].name, f->name)) {
			out->kept_sha256 = record->files[i].sha256;
			out->checked = or_null(record->files[i].checked);
			out->added = or_null(record->files[i].added);
		}
}

/* Reports *info with the files of m, which may be NULL. */
static int report_files(const listing *l, imgsearch_model *info, const published *m,
	const published *record, imgsearch_error *err)
{
	size_t n = m ? m->n_files : 0;
	imgsearch_model_file *file = ims_alloc(n, sizeof *file);
	const imgsearch_model_file **items = ims_alloc(n, sizeof *items);
	int rc = file && items ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		set_file(&file[i], &m->files[i], record);
		items[i] = &file[i];
	}
	info->files = items;
	info->n_files = n;
	if (!rc)
		rc = ims_call_model(l->each, l->user, info);
	ims_free(file);
	ims_free(items);
	return rc;
}

/* What the card of the weights says, where there is one. */
static void set_card(imgsearch_model *info, const model_card *card, char *note, size_t size)
{
	snprintf(note, size, "%s%s%s", card->descent, card->descent[0] && card->licence[0] ? "; " : "",
		card->licence);
	info->note = or_null(note);
	set_recipe(info, &card->recipe, card->dim);
	if (!info->network)
		info->network = card->network;
	if (!info->licence)
		info->licence = or_null(card->licence);
}

/* m: the published model; net: a network of which there is none; both NULL: added, or default. */
static int report(const listing *l, const char *name, const published *m, const model_network *net,
	imgsearch_error *err)
{
	model_card card;
	published record;
	char *weights = NULL, note[sizeof card.descent + sizeof card.licence + 16];
	imgsearch_model info = { .name = name };
	int rc = ims_added_record(&record, name, err);
	bool added = !rc;
	if (!rc || rc == IMGSEARCH_ENOTFOUND)
		rc = ims_model_find_weights(&weights, name, err);
	if (rc && rc != IMGSEARCH_ENOTFOUND) {
		ims_published_clear(&record);
		return rc;
	}
	rc = 0;
	info.weights = weights;
	info.added = added;
	if (m || added)
		set_texts(&info, m ? m : &record);
	if (net) {
		image_recipe own = ims_network_recipe(net);
		set_recipe(&info, &own, net->dim);
		info.network = net->name;
	}
	if (m)
		set_recipe(&info, &m->recipe, m->dim);
	if (weights && ims_card_read(&card, weights, NULL) == 0)
		set_card(&info, &card, note, sizeof note);
	if (!m && !added && !net)
		info.good_at = "kinds of things, quick"; /* the default model */
	if (m || net || info.dim)
		rc = report_files(l, &info, m ? m : added ? &record : NULL, added ? &record : NULL, err);
	ims_published_clear(&record);
	ims_free(weights);
	return rc;
}

static bool has_model(const published_list *l, const char *network)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->item[i].network, network))
			return true;
	return false;
}

static int report_all(const listing *l, imgsearch_error *err)
{
	size_t n;
	const model_network *net = ims_model_list(&n);
	int rc = report(l, "default", NULL, NULL, err);
	for (size_t i = 0; !rc && i < l->list.n; i++)
		rc = report(l, l->list.item[i].name, &l->list.item[i], NULL, err);
	for (size_t i = 0; !rc && i < l->added.n; i++)
		if (!ims_published_find(&l->list, l->added.item[i]) && !ims_model_find(l->added.item[i]))
			rc = report(l, l->added.item[i], NULL, NULL, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (!has_model(&l->list, net[i].name))
			rc = report(l, net[i].name, NULL, &net[i], err);
	return rc;
}

int ims_model_each(imgsearch_model_fn each, void *user, imgsearch_error *err)
{
	listing l = { .each = each, .user = user };
	int rc = ims_published_read(&l.list, err);
	if (!rc)
		rc = ims_added_names(&l.added, err);
	if (!rc)
		rc = report_all(&l, err);
	ims_published_free(&l.list);
	ims_texts_free(&l.added);
	return rc;
}
