/*
 * A model with the fake shim's text tower and a vocabulary whose tokens from 300 on are
 * colours, and pictures of one colour for the tests of texts.
 */
#ifndef IMS_TEST_SPEAKING_H
#define IMS_TEST_SPEAKING_H

#include "scene.h"

/* Bits of a colour: red, green, blue. */
static const char *const colours[] = { "black", "red", "green", "yellow", "blue", "magenta", "cyan",
	"white" };

static inline void put_file(const scene *sc, const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", sc->dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Bytes are tokens 10 to 265; colours are found as they stand. */
static inline void put_vocabulary(const scene *sc, const char *name)
{
	buf b = { 0 };
	ims_buf_text(&b, "{\"version\": \"1.0\", \"added_tokens\": [");
	for (int i = 0; i < 8; i++)
		ims_buf_text(&b, "%s{\"id\": %d, \"content\": \"%s\"}", i ? ", " : "", 300 + i, colours[i]);
	ims_buf_text(&b,
		"], \"normalizer\": null, \"model\": {\"type\": \"BPE\", \"unk_token\": \"<unk>\","
		" \"byte_fallback\": true, \"vocab\": {\"<pad>\": 0, \"<eos>\": 1, \"<unk>\": 3");
	for (int i = 0; i < 256; i++)
		ims_buf_text(&b, ", \"<0x%02X>\": %d", i, 10 + i);
	ims_buf_text(&b, "}, \"merges\": []}}");
	ims_buf_u8(&b, 0);
	put_file(sc, name, (const char *)b.data);
	ims_buf_free(&b);
}

/* dir/speaking.safetensors of that network with its card, without a vocabulary. */
static inline void put_model(const scene *sc, const char *network)
{
	char card[300];
	shell("cp \"$IMGSEARCH_LIBDIR/default.safetensors\" '%s/speaking.safetensors'", sc->dir);
	snprintf(card, sizeof card,
		"{\"name\": \"speaking\", \"network\": \"%s\", \"resize\": 32, \"crop\": 32, \"dim\": 48}",
		network);
	put_file(sc, "speaking.json", card);
}

static inline imgsearch *open_speaking(const scene *sc)
{
	char weights[200];
	imgsearch *s = NULL;
	snprintf(weights, sizeof weights, "%s/speaking.safetensors", sc->dir);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.weights = weights;
	o.precision = IMGSEARCH_PRECISION_F32;
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	return s;
}

/* photos/NAME of one colour, a little of noise in it */
static inline void plain_photo(const scene *sc, const char *name, unsigned colour, unsigned seed)
{
	enum { SIDE = 32 };
	static uint8_t rgb[SIDE * SIDE * 3];
	char path[400];
	uint64_t random = seed + 1;
	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)((colour >> i % 3 & 1 ? 220 : 20) + ims_random(&random) % 16);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	image im = { .pixels = rgb, .width = SIDE, .height = SIDE };
	buf bytes = { 0 };
	assert_int_equal(ims_image_encode_png(&bytes, &im, NULL, NULL), 0);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
	ims_buf_free(&bytes);
}

#endif
