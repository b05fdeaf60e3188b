/* Texts as queries: the text tower, templates, mixes with pictures, what cannot be asked. */
#include "handle/view.h"
#include "speaking.h"

#include <math.h>

enum { DIM = 48 };

static int words_run; /* texts that went through the tower */

static void on_words(size_t n)
{
	words_run += (int)n;
}

static void count_words(void)
{
	void *shim = dlopen("imgsearch-shim.so", RTLD_NOLOAD | RTLD_NOW);
	char path[500];
	snprintf(path, sizeof path, "%s/imgsearch-shim.so", getenv("IMGSEARCH_LIBDIR"));
	if (!shim)
		shim = dlopen(path, RTLD_NOW);
	assert_non_null(shim);
	void (**hook)(size_t) = dlsym(shim, "ims_fake_on_words");
	assert_non_null(hook);
	*hook = on_words;
	words_run = 0;
}

/* Eight pictures, one of each colour, in an index of a model that speaks. */
static imgsearch *eight_colours(const scene *sc)
{
	put_model(sc, "clip_vit_b32");
	put_vocabulary(sc, "tokenizer.json");
	for (unsigned i = 0; i < 8; i++) {
		char name[20];
		snprintf(name, sizeof name, "%s.png", colours[i]);
		plain_photo(sc, name, i, i);
	}
	imgsearch *s = open_speaking(sc);
	scene_index(s, sc->photos);
	return s;
}

static void ends_with(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	if (strcmp(slash ? slash + 1 : path, name))
		fail_msg("%s instead of %s", path, name);
}

static imgsearch_hits *ask(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *o)
{
	imgsearch_hits *hits = NULL;
	works(imgsearch_query(s, in, n, o, NULL, &hits, &err));
	return hits;
}

static void first_is(imgsearch *s, const imgsearch_input *in, size_t n, const char *name)
{
	imgsearch_hits *hits = ask(s, in, n, NULL);
	ends_with(hits->items[0]->path, name);
	imgsearch_hits_free(hits);
}

static bool has_words(imgsearch *s)
{
	imgsearch_error err = { 0 };
	float row[DIM];
	imgsearch_input in = imgsearch_input_text("red");
	int rc = imgsearch_extract(s, &in, 1, NULL, NULL, row, DIM, NULL, &err);
	if (rc == IMGSEARCH_EUNSUPPORTED && strstr(err.message, "libutf8proc")) {
		print_message("# skipped: %s\n", err.message);
		return false;
	}
	return true;
}

static void texts_find_pictures(void **state)
{
	scene *sc = *state;
	imgsearch_close(eight_colours(sc));
	imgsearch *s = open_speaking(sc); /* no network of pictures is loaded yet */
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	for (unsigned i = 0; i < 8; i++) {
		char name[20];
		imgsearch_input in = imgsearch_input_text(colours[i]);
		snprintf(name, sizeof name, "%s.png", colours[i]);
		first_is(s, &in, 1, name);
	}
	imgsearch_network *network;
	works(imgsearch_network_get(s, &network, &err));
	assert_true(network->usable && !network->loaded);
	imgsearch_network_free(network);
	imgsearch_close(s);
}

static void texts_are_combined_and_taken_away(void **state)
{
	scene *sc = *state;
	imgsearch *s = eight_colours(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	imgsearch_input in[3] = { imgsearch_input_text("red"), imgsearch_input_text("green"),
		imgsearch_input_text("blue") };
	in[2].weight = -1;
	first_is(s, in, 3, "yellow.png");
	in[0] = imgsearch_input_text("white");
	in[1] = imgsearch_input_text("blue");
	in[1].weight = -2;
	first_is(s, in, 2, "yellow.png");
	imgsearch_close(s);
}

static void batches_answer_as_single_queries_do(void **state)
{
	scene *sc = *state;
	imgsearch *s = eight_colours(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	char path[200];
	snprintf(path, sizeof path, "%s/cyan.png", sc->photos);
	imgsearch_input in[] = { imgsearch_input_text("red"), imgsearch_input_file(path),
		imgsearch_input_text(" \t"), imgsearch_input_text("a blue house"),
		imgsearch_input_text("\xff") };
	enum { N = sizeof in / sizeof *in };
	imgsearch_answers *answers;
	count_words();
	works(imgsearch_batch_query(s, in, N, NULL, NULL, &answers, &err));
	assert_int_equal(words_run, 2);
	for (size_t i = 0; i < N; i++) {
		imgsearch_error err = { 0 };
		imgsearch_hits *hits = NULL;
		int rc = imgsearch_query(s, &in[i], 1, NULL, NULL, &hits, &err);
		const imgsearch_answer *a = answers->items[i];
		assert_int_equal(rc != 0, a->error != NULL);
		if (rc)
			assert_int_equal(rc, a->error->code);
		for (size_t k = 0; !rc && k < hits->count; k++) {
			assert_int_equal(hits->items[k]->id, a->hits->items[k]->id);
			assert_true(fabsf(hits->items[k]->score - a->hits->items[k]->score) < 1e-5f);
		}
		imgsearch_hits_free(hits);
	}
	imgsearch_answers_free(answers);
	imgsearch_close(s);
}

static float length_of(const float *row)
{
	double sum = 0;
	for (int i = 0; i < DIM; i++)
		sum += (double)row[i] * row[i];
	return (float)sqrt(sum);
}

static void extracts_texts(void **state)
{
	scene *sc = *state;
	imgsearch *s = eight_colours(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	char path[200];
	snprintf(path, sizeof path, "%s/red.png", sc->photos);
	imgsearch_input in[] = { imgsearch_input_text("red"), imgsearch_input_file(path),
		imgsearch_input_text("") };
	float rows[3][DIM], raw[DIM];
	imgsearch_error errors[3];
	works(imgsearch_extract(s, in, 3, NULL, NULL, *rows, 3 * DIM, errors, &err));
	assert_true(fabsf(length_of(rows[0]) - 1) < 1e-5f && fabsf(length_of(rows[1]) - 1) < 1e-5f);
	assert_true(rows[0][0] > 0 && rows[0][1] < 0 && rows[0][2] < 0);
	assert_true(rows[1][0] > 0 && rows[1][1] < 0 && rows[1][2] < 0);
	assert_true(isnan(rows[2][0]) && errors[2].code == IMGSEARCH_EINVAL);
	assert_true(!errors[0].code && !errors[1].code);
	/* raw, and with a template that adds nothing: the colour's token alone */
	imgsearch_extract_options o = IMGSEARCH_INIT(imgsearch_extract_options);
	o.raw = 1;
	o.text_template = "{}";
	works(imgsearch_extract(s, in, 1, &o, NULL, raw, DIM, NULL, &err));
	assert_true(raw[0] == 1 && raw[1] == -1 && raw[47] == -1);
	o.text_template = "{} and green";
	works(imgsearch_extract(s, in, 1, &o, NULL, raw, DIM, NULL, &err));
	assert_true(fabsf(raw[0]) < 0.3f && fabsf(raw[1]) < 0.3f && raw[2] < -1.7f);
	o.text_template = "no place";
	fails(IMGSEARCH_EINVAL, imgsearch_extract(s, in, 1, &o, NULL, raw, DIM, NULL, &err));
	imgsearch_close(s);
}

static void says(imgsearch *s, const char *text, int code, const char *part)
{
	imgsearch_error err = { 0 };
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_text(text);
	int rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err);
	if (rc != code || (part && !strstr(err.message, part)))
		fail_msg("%s \"%s\" lacks \"%s\"", imgsearch_status_name(rc), err.message, part);
	assert_null(hits);
}

static void bad_texts_are_refused(void **state)
{
	scene *sc = *state;
	enum { LONG = 100000, FITS = 64 << 10 };
	imgsearch *s = eight_colours(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	char *text = malloc(LONG + 1);
	memset(text, 'a', LONG);
	text[LONG] = 0;
	says(s, NULL, IMGSEARCH_EINVAL, "NULL");
	says(s, "", IMGSEARCH_EINVAL, "the text is empty");
	says(s, " \t\n", IMGSEARCH_EINVAL, "white space");
	says(s, "\u00a0\u3000", IMGSEARCH_EINVAL, "white space");
	says(s, "caf\xe9", IMGSEARCH_EINVAL, "UTF-8");
	says(s, text, IMGSEARCH_ELIMIT, "65536 bytes");
	text[FITS] = 0;
	imgsearch_input in = imgsearch_input_text(text);
	imgsearch_hits_free(ask(s, &in, 1, NULL)); /* cut off by the tokenizer */
	free(text);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	in = imgsearch_input_text("red");
	o.text_template = "a photo";
	fails(IMGSEARCH_EINVAL, imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_index_add(s, &in, NULL, NULL, NULL, &err));
	imgsearch_image *image;
	fails(IMGSEARCH_EINVAL, imgsearch_image_load(s, &in, 0, NULL, &image, &err));
	/* a caller that was built before the struct had a template */
	o = IMGSEARCH_INIT(imgsearch_query_options);
	o.struct_size = offsetof(imgsearch_query_options, text_template);
	o.text_template = "garbage behind its end";
	imgsearch_hits_free(ask(s, &in, 1, &o));
	imgsearch_close(s);
}

static void models_that_cannot(void **state)
{
	scene *sc = *state;
	imgsearch *s = eight_colours(sc);
	char *other;
	shell("rm '%s/tokenizer.json'", sc->dir);
	says(s, "red", IMGSEARCH_EMODEL, "has no vocabulary for texts: no tokenizer.json");
	says(s, "red", IMGSEARCH_EMODEL, sc->dir);
	put_file(sc, "tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vo");
	imgsearch_error err = { 0 };
	imgsearch_input in = imgsearch_input_text("red");
	imgsearch_hits *hits;
	int rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err);
	assert_true(rc != 0 && strstr(err.message, "tokenizer.json"));
	if (rc == IMGSEARCH_EUNSUPPORTED) { /* no libutf8proc */
		imgsearch_close(s);
		skip();
	}
	assert_int_equal(rc, IMGSEARCH_EFORMAT);
	put_vocabulary(sc, "speaking.tokenizer.json"); /* comes before the damaged one */
	setenv("FAKE_VOCABULARY", "307", 1);
	says(s, "red", IMGSEARCH_EMODEL, "knows 307 tokens, but the vocabulary beside it has 308");
	setenv("FAKE_VOCABULARY", "618", 1);
	says(s, "red", IMGSEARCH_EMODEL, "knows 618 tokens, but the vocabulary beside it has 308");
	unsetenv("FAKE_VOCABULARY");
	setenv("FAKE_WORDLESS", "1", 1);
	says(s, "red", IMGSEARCH_EUNSUPPORTED, "speaking.safetensors: its text tower");
	unsetenv("FAKE_WORDLESS");
	imgsearch_hits_free(ask(s, &in, 1, NULL));
	imgsearch_close(s);
	shell("rm '%s'*", sc->db);
	s = scene_open(sc);
	scene_index(s, sc->photos);
	says(s, "red", IMGSEARCH_EUNSUPPORTED, "the model default cannot compare texts");
	imgsearch_close(s);
	other = ims_format("%s/vectors.db", sc->dir);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	float row[DIM] = { 1 };
	works(imgsearch_open(other, &o, NULL, &s, &err));
	works(imgsearch_vectors_add(s, row, 1, DIM, NULL, NULL, NULL, &err));
	says(s, "red", IMGSEARCH_EMODEL, "the caller's own vectors");
	imgsearch_close(s);
	ims_free(other);
}

static void templates_come_from_cards(void **state)
{
	scene *sc = *state;
	imgsearch *s = eight_colours(sc);
	float row[DIM];
	imgsearch_input in = imgsearch_input_text("red");
	imgsearch_extract_options o = IMGSEARCH_INIT(imgsearch_extract_options);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	imgsearch_close(s);
	put_file(sc, "speaking.json",
		"{\"name\": \"speaking\", \"network\": \"clip_vit_b32\", \"resize\": 32, \"crop\": 32,"
		" \"dim\": 48, \"template\": \"green {}\"}");
	s = open_speaking(sc);
	o.raw = 1;
	works(imgsearch_extract(s, &in, 1, &o, NULL, row, DIM, NULL, &err));
	assert_true(fabsf(row[0]) < 0.3f && fabsf(row[1]) < 0.3f && row[2] < -1.7f);
	imgsearch_close(s);
}

enum { MANY = 240 };

/* Pictures whose cells have colours of their own, and the first of them are of one colour. */
static imgsearch *many_pictures(const scene *sc)
{
	imgsearch *s = eight_colours(sc);
	for (unsigned i = 0; i < MANY; i++) {
		char name[20];
		snprintf(name, sizeof name, "m%u.png", i);
		photo(sc, name, i);
	}
	scene_index(s, sc->photos);
	return s;
}

static double first_chance(imgsearch *s, const imgsearch_input *in, size_t n)
{
	imgsearch_hits *hits = ask(s, in, n, NULL);
	double chance = hits->items[0]->chance;
	imgsearch_hits_free(hits);
	return chance;
}

static void log_into(void *user, int level, const char *text)
{
	(void)level;
	snprintf(user, 400, "%s", text);
}

static void build(imgsearch *s, char log[400])
{
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	*log = 0;
	call.user = log;
	call.log = log_into;
	works(imgsearch_build(s, NULL, &call, NULL, &err));
}

static void chances_of_texts_are_known_after_a_build(void **state)
{
	scene *sc = *state;
	char log[400];
	imgsearch *s = many_pictures(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	imgsearch_input in[2] = { imgsearch_input_text("red"), imgsearch_input_item(0) };
	in[1].id = id_of(s, sc, "m7.png");
	assert_true(isnan(first_chance(s, in, 1)));
	shell("mv '%s/tokenizer.json' '%s/away'", sc->dir, sc->dir);
	imgsearch_close(s);
	s = open_speaking(sc);
	build(s, log);
	assert_non_null(strstr(log, "no vocabulary for texts"));
	shell("mv '%s/away' '%s/tokenizer.json'", sc->dir, sc->dir);
	assert_true(isnan(first_chance(s, in, 1)));
	assert_true(first_chance(s, in + 1, 1) == 0);
	count_words();
	build(s, log);
	assert_int_equal(*log, 0);
	assert_true(words_run > 300);
	double alone = first_chance(s, in, 1);
	assert_true(alone >= 0 && alone < 1); /* a whole picture of that colour */
	count_words();
	build(s, log);
	assert_int_equal(words_run, 0); /* their features are kept */
	assert_true(fabs(first_chance(s, in, 1) - alone) < 0.05);
	in[0].weight = -1; /* what is unlike a text by chance is not known */
	assert_true(isnan(first_chance(s, in, 1)));
	in[0].weight = 0;
	shell("cp '%s/tokenizer.json' '%s/speaking.tokenizer.json'", sc->dir, sc->dir);
	count_words();
	build(s, log);
	assert_true(words_run > 300); /* another vocabulary */
	imgsearch_hits *hits = ask(s, in, 2, NULL);
	for (size_t i = 0; i < hits->count; i++)
		assert_true(hits->items[i]->chance >= 0);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

/* Scores of texts are the cosines of the vectors as they are, whatever the index was built by. */
static void no_mean_is_subtracted(void **state)
{
	scene *sc = *state;
	char log[400];
	imgsearch *s = many_pictures(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	imgsearch_input in = imgsearch_input_text("red"), other = imgsearch_input_item(0);
	imgsearch_query_options plain = IMGSEARCH_INIT(imgsearch_query_options);
	plain.plain = 1;
	for (int mean = 0; mean < 2; mean++) {
		if (mean) { /* as an earlier version built it */
			float centre[DIM];
			for (int d = 0; d < DIM; d++)
				centre[d] = 0.1f + 0.01f * (float)d;
			works(ims_handle_write_begin(s, NULL, &err));
			works(ims_store_tx_begin(s->store, &err));
			works(ims_store_setting_set(s->store, "centre", centre, sizeof centre, &err));
			uint64_t rows = MANY;
			works(ims_store_setting_set(s->store, "centre_rows", &rows, sizeof rows, &err));
			works(ims_view_renew(s, &err));
			works(ims_handle_tx_end(s, 0, &err));
			ims_handle_write_end(s);
		} else {
			build(s, log);
		}
		imgsearch_hits *a = ask(s, &in, 1, NULL), *b = ask(s, &in, 1, &plain);
		assert_int_equal(a->count, b->count);
		for (size_t i = 0; i < a->count; i++)
			assert_true(a->items[i]->id == b->items[i]->id
				&& fabsf(a->items[i]->score - b->items[i]->score) < 1e-5f);
		imgsearch_hits_free(a);
		imgsearch_hits_free(b);
		other.id = id_of(s, sc, "m3.png");
		imgsearch_input both[2] = { in, other };
		imgsearch_answers *answers;
		works(imgsearch_batch_query(s, both, 2, NULL, NULL, &answers, &err));
		for (int i = 0; i < 2; i++) {
			a = ask(s, &both[i], 1, NULL);
			assert_true(
				fabsf(a->items[1]->score - answers->items[i]->hits->items[1]->score) < 1e-5f);
			imgsearch_hits_free(a);
		}
		imgsearch_answers_free(answers);
	}
	build(s, log); /* drops the mean */
	imgsearch_hits *a = ask(s, &other, 1, NULL), *b = ask(s, &other, 1, &plain);
	assert_true(a->items[3]->id == b->items[3]->id && a->items[3]->score == b->items[3]->score);
	imgsearch_hits_free(a);
	imgsearch_hits_free(b);
	imgsearch_close(s);
}

/* The sum of their normalised vectors, as a query of its own. */
static const char *first_of_plain_sum(imgsearch *s, const imgsearch_input *in, size_t n,
	char out[400])
{
	float rows[2][DIM], sum[DIM] = { 0 };
	works(imgsearch_extract(s, in, n, NULL, NULL, *rows, n * DIM, NULL, &err));
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < DIM; d++)
			sum[d] += (in[i].weight != 0 ? in[i].weight : 1) * rows[i][d];
	imgsearch_input vector = imgsearch_input_vector(sum, DIM);
	imgsearch_hits *hits = ask(s, &vector, 1, NULL);
	snprintf(out, 400, "%s", hits->items[0]->path);
	imgsearch_hits_free(hits);
	return strrchr(out, '/') + 1;
}

/* Without spreads a picture outweighs a text, whose scores lie close together. */
static void texts_count_beside_pictures(void **state)
{
	scene *sc = *state;
	char log[400], path[200], first[400];
	imgsearch *s = eight_colours(sc);
	if (!has_words(s)) {
		imgsearch_close(s);
		skip();
	}
	setenv("FAKE_GAP", "20", 1);
	snprintf(path, sizeof path, "%s/red.png", sc->photos);
	imgsearch_input in[2] = { imgsearch_input_file(path), imgsearch_input_text("blue") };
	in[1].weight = 1.5f;
	for (int built = 0; built < 2; built++) {
		for (unsigned i = 0; built && i < MANY; i++) {
			char name[20];
			snprintf(name, sizeof name, "%s%u.png", colours[i % 8], i);
			plain_photo(sc, name, i % 8, 100 + i);
		}
		if (built) {
			scene_index(s, sc->photos);
			build(s, log);
		}
		assert_true(!strncmp(first_of_plain_sum(s, in, 2, first), "red", 3));
		imgsearch_hits *hits = ask(s, in, 2, NULL);
		const char *name = strrchr(hits->items[0]->path, '/') + 1;
		assert_true(!strncmp(name, "blue", 4));
		imgsearch_hits_free(hits);
		in[1].weight = 0.5f; /* the text moves what follows the picture alone */
		hits = ask(s, in, 2, NULL);
		assert_true(!strncmp(strrchr(hits->items[0]->path, '/') + 1, "red", 3));
		imgsearch_hits_free(hits);
		in[1].weight = 1.5f;
	}
	unsetenv("FAKE_GAP");
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_find_pictures),
		TEST(texts_are_combined_and_taken_away),
		TEST(batches_answer_as_single_queries_do),
		TEST(extracts_texts),
		TEST(bad_texts_are_refused),
		TEST(models_that_cannot),
		TEST(templates_come_from_cards),
		TEST(chances_of_texts_are_known_after_a_build),
		TEST(no_mean_is_subtracted),
		TEST(texts_count_beside_pictures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
