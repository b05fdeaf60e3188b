/* Tokenizers from vocabularies that are written here. */
#include "words/tokenizer.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

enum { CONTEXT = 77, BEGIN = 49406, END = 49407, MERGES = 48894 };

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(in_folder(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/imswordsXXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "bpe.txt", "bpe.txt.gz", "vocab.json", "merges.txt",
		"pets.vocab.json", "pets.merges.txt", "tokenizer.json", "spiece.model" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

static tokenizer *open_file(const char *name, tokenizer_style style)
{
	tokenizer *t;
	imgsearch_error err;
	int rc = ims_tokenizer_open(&t, in_folder(name), style, &err);
	if (rc == IMGSEARCH_EUNSUPPORTED && strstr(err.message, "libutf8proc")) {
		print_message("# skipped: %s\n", err.message);
		skip();
	}
	if (rc)
		fail_msg("%s", err.message);
	return t;
}

static void refuses(const char *name, int rc, const char *part)
{
	tokenizer *t;
	imgsearch_error err = { 0 };
	assert_int_equal(ims_tokenizer_open(&t, in_folder(name), TOKENIZER_OPEN_CLIP, &err), rc);
	assert_null(t);
	if (!strstr(err.message, part) || !strstr(err.message, folder))
		fail_msg("\"%s\" lacks \"%s\"", err.message, part);
}

static size_t encode(const tokenizer *t, const char *text, int32_t out[CONTEXT])
{
	imgsearch_error err;
	size_t n;
	if (ims_tokenizer_encode(t, text, out, CONTEXT, &n, &err))
		fail_msg("%s", err.message);
	return n;
}

/* The tokens end the list. */
#define gives(t, text, ...) \
	do { \
		const int32_t want_[] = { __VA_ARGS__ }; \
		int32_t got_[CONTEXT]; \
		size_t n_ = encode(t, text, got_), want_n_ = sizeof want_ / sizeof *want_; \
		for (size_t i_ = 0; i_ < n_ && i_ < want_n_; i_++) \
			if (got_[i_] != want_[i_]) \
				fail_msg("%s: token %zu is %d instead of %d", text, i_, got_[i_], want_[i_]); \
		assert_int_equal(n_, want_n_); \
	} while (0)

static void same(const tokenizer *t, const char *a, const char *b)
{
	int32_t first[CONTEXT], second[CONTEXT];
	size_t n = encode(t, a, first);
	if (n != encode(t, b, second) || memcmp(first, second, sizeof first))
		fail_msg("\"%s\" and \"%s\" differ", a, b);
}

static void differ(const tokenizer *t, const char *a, const char *b)
{
	int32_t first[CONTEXT], second[CONTEXT];
	encode(t, a, first);
	encode(t, b, second);
	assert_memory_not_equal(first, second, sizeof first);
}

/* ------------------------------------------------------------------------------------ CLIP ---- */

static const char *const merges[] = { "d o", "do g</w>", "c a", "ca t</w>", "t h", "th e</w>",
	"a n", "an d</w>", "' s</w>" };

enum { DOG = 513, CAT = 515, THE = 517, AND = 519, OWNS = 520 };

/* The letters that stand for the bytes of no printable character, and of those beyond ASCII. */
static void put_letter(buf *b, unsigned i)
{
	unsigned c = 0x100 + i;
	ims_buf_text(b, "%c%c", (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)));
}

/* OpenAI's file: our merges, and others of letters that are in no test, up to the number it has. */
static void fill(buf *b, size_t lines)
{
	enum { LETTERS = 68, KINDS = 12 };
	static const char *const between[KINDS] = { "", "!", "#", "$", "%", "(", ")", "*", "+", ",",
		"/", "0" };
	size_t n = 0, own = sizeof merges / sizeof *merges;
	ims_buf_text(b, "\"bpe_simple_vocab_16e6.txt#version: 0.2\n");
	for (; n < own && n < lines; n++)
		ims_buf_text(b, "%s\n", merges[n]);
	for (unsigned k = 1; k < KINDS && n < lines; k++)
		for (unsigned i = 0; i < LETTERS && n < lines; i++, n++) {
			put_letter(b, i);
			ims_buf_text(b, " %s\n", between[k]);
		}
	for (unsigned k = 0; k < KINDS && n < lines; k++)
		for (unsigned i = 0; i < LETTERS; i++)
			for (unsigned j = 0; j < LETTERS && n < lines; j++, n++) {
				put_letter(b, i);
				ims_buf_text(b, "%s ", between[k]);
				put_letter(b, j);
				ims_buf_text(b, "\n");
			}
	assert_false(b->failed);
	assert_int_equal(n, lines);
}

static void write_openai(size_t lines)
{
	buf b = { 0 };
	fill(&b, lines);
	write_file("bpe.txt", b.data, b.len);
	gzFile z = gzopen(in_folder("bpe.txt.gz"), "wb");
	assert_int_equal(gzwrite(z, b.data, (unsigned)b.len), (int)b.len);
	assert_int_equal(gzclose(z), Z_OK);
	ims_buf_free(&b);
}

static void cuts_words_as_clip_does(void **state)
{
	(void)state;
	write_openai(MERGES);
	static const char *const files[] = { "bpe.txt", "bpe.txt.gz" };
	for (int i = 0; i < 2; i++) {
		tokenizer *t = open_file(files[i], TOKENIZER_OPEN_CLIP);
		gives(t, "dog", BEGIN, DOG, END);
		gives(t, " The  DOG\tand the\ncat ", BEGIN, THE, DOG, AND, THE, CAT, END);
		gives(t, "dog's", BEGIN, DOG, OWNS, END);
		gives(t, "dogs", BEGIN, 512, 'g' - '!', 's' - '!' + 256, END);
		gives(t, "", BEGIN, END);
		gives(t, " \t\n ", BEGIN, END);
		gives(t, "12", BEGIN, '1' - '!' + 256, '2' - '!' + 256, END);
		gives(t, "!?", BEGIN, 0, '?' - '!' + 256, END);
		gives(t, "dog <end_of_text> cat", BEGIN, DOG, END, CAT, END);
		ims_tokenizer_free(t);
	}
}

static void cleans_as_clip_does(void **state)
{
	(void)state;
	write_openai(MERGES);
	tokenizer *t = open_file("bpe.txt", TOKENIZER_OPEN_CLIP);
	static const char *const pairs[][2] = {
		{ "\uff24\uff4f\uff47", "dog" }, /* full width */
		{ "\uff76\uff9e", "\u30ac" },    /* half width */
		{ "d&#111;g &amp; c&#x61;t", "dog & cat" },
		{ "&amp;amp;amp; &lt;", "& <" },
		{ "&hellip;&eacute;&EACUTE;", "\u2026\u00e9\u00e9" },
		{ "&SZLIG;", "ss" },
		{ "&copy 2", "\u00a9 2" },
		{ "&#150;&#0;", "\u2013\ufffd" },
		{ "\u201cdog\u201d \u2018s \u02bc", "\"dog\" 's '" },
		{ "o\ufb03ce \u0133s", "office ijs" },
		{ "e\u0301", "\u00e9" },
		{ "\x1b[31;1mdog\x1b[0m\x07", "dog" },
		{ "\ufeff"
		  "dog\u2028\r\ncat",
			"dog cat" },
		{ "dog\u3000\u00a0cat", "dog cat" },
		{ "\u0130", "i\u0307" },
		{ "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2" }, /* sigma at the end */
		{ "\xc2\x93"
		  "dog\xc2\x94",
			"\"dog\"" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		same(t, pairs[i][0], pairs[i][1]);
	differ(t, "&nosuchname;", "");
	differ(t, "caf\u00e9", "cafe");
	ims_tokenizer_free(t);
}

static void cuts_long_texts_off(void **state)
{
	(void)state;
	enum { LONG = 100000 };
	write_openai(MERGES);
	tokenizer *t = open_file("bpe.txt", TOKENIZER_OPEN_CLIP);
	int32_t out[CONTEXT];
	imgsearch_error err;
	size_t n;
	char *text = malloc(LONG + 1);
	for (int kind = 0; kind < 3; kind++) {
		for (size_t i = 0; i < LONG; i++)
			text[i] = kind == 0 ? 'a' : kind == 1 ? "dog "[i % 4] : "&a"[i % 2];
		text[LONG] = 0;
		assert_int_equal(encode(t, text, out), CONTEXT);
		assert_int_equal(out[CONTEXT - 1], END);
		assert_int_not_equal(out[CONTEXT - 2], END);
	}
	free(text);
	assert_int_equal(ims_tokenizer_encode(t, "dog \xff", out, CONTEXT, &n, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "UTF-8"));
	assert_int_equal(ims_tokenizer_encode(t, "dog", out, 3, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(ims_tokenizer_encode(t, "the dog", out, 3, &n, &err), 0);
	assert_int_equal(out[1], THE);
	assert_int_equal(out[2], END);
	assert_int_equal(ims_tokenizer_encode(t, "dog", out, 6, &n, &err), 0);
	assert_int_equal(out[5], 0); /* filled up */
	ims_tokenizer_free(t);
}

static void refuses_damaged_merges(void **state)
{
	(void)state;
	buf b = { 0 };
	tokenizer *t;
	imgsearch_error err;
	refuses("bpe.txt", IMGSEARCH_ENOTFOUND, "");
	write_openai(MERGES - 1);
	if (ims_tokenizer_open(&t, in_folder("bpe.txt"), TOKENIZER_OPEN_CLIP, &err)
		== IMGSEARCH_EUNSUPPORTED)
		skip();
	refuses("bpe.txt", IMGSEARCH_EFORMAT, "48893 merges instead of 48894: it is cut off");
	fill(&b, 100);
	static const struct {
		const char *line, *why;
	} bad[] = { { "d o", "that there is already" }, { "dog", "no pair" }, { "d o g", "no pair" },
		{ "xyz d", "not known" }, { "d ", "no pair" } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t before = b.len;
		ims_buf_text(&b, "%s\n", bad[i].line);
		write_file("bpe.txt", b.data, b.len);
		refuses("bpe.txt", IMGSEARCH_EFORMAT, bad[i].why);
		refuses("bpe.txt", IMGSEARCH_EFORMAT, "line 102");
		b.len = before;
	}
	ims_buf_free(&b);
	write_file("bpe.txt", "<html>404 not found</html>\n", 27);
	refuses("bpe.txt", IMGSEARCH_EFORMAT, "#version");
	write_file("bpe.txt", "", 0);
	refuses("bpe.txt", IMGSEARCH_EFORMAT, "#version");
	write_file("bpe.txt.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3\x4b", 11);
	refuses("bpe.txt.gz", IMGSEARCH_EFORMAT, "cut off");
}

/* ------------------------------------------------------------------- Hugging Face's files ---- */

/* All letters, alone and at the end of a word, what merges make, begin and end. */
static void put_tokens(buf *b)
{
	int id = 0;
	for (int last = 0; last < 2; last++) {
		unsigned other = 0x100;
		for (unsigned byte = 0; byte < 256; byte++) {
			bool own = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
			ims_buf_text(b, "%s\"\\u%04x%s\": %d", id ? ", " : "", own ? byte : other++,
				last ? "</w>" : "", id);
			id++;
		}
	}
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		const char *space = strchr(merges[i], ' ');
		ims_buf_text(b, ", \"%.*s%s\": %d", (int)(space - merges[i]), merges[i], space + 1, id++);
	}
	ims_buf_text(b, ", \"<|startoftext|>\": %d, \"<|endoftext|>\": %d", BEGIN, END);
}

static void write_two_files(void)
{
	buf b = { 0 };
	ims_buf_text(&b, "{");
	put_tokens(&b);
	ims_buf_text(&b, "}");
	write_file("vocab.json", b.data, b.len);
	b.len = 0;
	ims_buf_text(&b, "#version: 0.2\n");
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
		ims_buf_text(&b, "%s\n", merges[i]);
	write_file("merges.txt", b.data, b.len);
	ims_buf_free(&b);
}

static void write_one_file(bool pairs)
{
	buf b = { 0 };
	ims_buf_text(&b,
		"{\"version\": \"1.0\", \"added_tokens\": [], \"normalizer\": null, \"model\":"
		" {\"type\": \"BPE\", \"end_of_word_suffix\": \"</w>\", \"merges\": [");
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		const char *space = strchr(merges[i], ' ');
		if (pairs)
			ims_buf_text(&b, "%s[\"%.*s\", \"%s\"]", i ? ", " : "", (int)(space - merges[i]),
				merges[i], space + 1);
		else
			ims_buf_text(&b, "%s\"%s\"", i ? ", " : "", merges[i]);
	}
	ims_buf_text(&b, "], \"vocab\": {");
	put_tokens(&b);
	ims_buf_text(&b, "}}}");
	write_file("tokenizer.json", b.data, b.len);
	ims_buf_free(&b);
}

static void reads_hugging_faces_files(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			write_two_files();
		else
			write_one_file(i == 2);
		tokenizer *t = open_file(i ? "tokenizer.json" : "vocab.json", TOKENIZER_TRANSFORMERS);
		gives(t, "The  dog's CAT", BEGIN, THE, DOG, OWNS, CAT, END);
		gives(t, "dog<|endoftext|>cat", BEGIN, DOG, END, CAT, END);
		same(t, "E\u0301", "\u00e9");
		same(t, "\u039f\u03a3", "\u03bf\u03c3"); /* no sigma of its own at the end */
		differ(t, "&amp;", "&");
		ims_tokenizer_free(t);
	}
}

static void move(const char *from, const char *to)
{
	char old[128];
	snprintf(old, sizeof old, "%s", in_folder(from));
	assert_int_equal(rename(old, in_folder(to)), 0);
}

static void finds_the_merges_of_one_of_several_models(void **state)
{
	(void)state;
	write_two_files();
	move("vocab.json", "pets.vocab.json");
	refuses("pets.vocab.json", IMGSEARCH_ENOTFOUND, "pets.merges.txt");
	move("merges.txt", "pets.merges.txt");
	tokenizer *t = open_file("pets.vocab.json", TOKENIZER_TRANSFORMERS);
	gives(t, "dog", BEGIN, DOG, END);
	ims_tokenizer_free(t);
}

static void refuses_damaged_json(void **state)
{
	(void)state;
	write_two_files();
	tokenizer *t = open_file("vocab.json", TOKENIZER_TRANSFORMERS);
	ims_tokenizer_free(t);
	unlink(in_folder("merges.txt"));
	refuses("vocab.json", IMGSEARCH_ENOTFOUND, "merges.txt");
	write_file("merges.txt", "#version: 0.2\n", 14);
	refuses("vocab.json", IMGSEARCH_EFORMAT, "cut off");
	write_file("merges.txt", "#version: 0.2\ng d\n", 18);
	refuses("vocab.json", IMGSEARCH_EFORMAT, "merges.txt: line 2 makes no token");
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "{\"a\": 1", "" },
		{ "{\"a\": 1}", "no vocabulary of CLIP" },
		{ "{\"a\": 1, \"b\": -1}", "token \"b\" has no valid number" },
		{ "{\"a\": 1, \"b\": 1e30}", "token \"b\" has no valid number" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_file("vocab.json", bad[i].text, strlen(bad[i].text));
		refuses("vocab.json", IMGSEARCH_EFORMAT, bad[i].why);
	}
	static const struct {
		const char *text, *why;
		int rc;
	} others[] = {
		{ "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 1}}}", "WordPiece",
			IMGSEARCH_EUNSUPPORTED },
		{ "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}}}", "merges", IMGSEARCH_EFORMAT },
		{ "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [\"a b\"]}}",
			"merge 1 has a token that is not known", IMGSEARCH_EFORMAT },
		{ "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [[\"a\"]]}}",
			"merge 1 is no pair of tokens", IMGSEARCH_EFORMAT },
		{ "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": []}}", "<eos>",
			IMGSEARCH_EUNSUPPORTED },
		{ "{\"version\": \"1.0\"}", "no model", IMGSEARCH_EUNSUPPORTED },
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		write_file("tokenizer.json", others[i].text, strlen(others[i].text));
		refuses("tokenizer.json", others[i].rc, others[i].why);
	}
}

/* Letters without a token become their bytes; tokens that were added are found as they stand. */
static void falls_back_to_bytes(void **state)
{
	(void)state;
	buf b = { 0 };
	ims_buf_text(&b,
		"{\"version\": \"1.0\", \"added_tokens\": [{\"id\": 300, \"content\": \"<b>\"},"
		" {\"id\": 301, \"content\": \"<b><b>\", \"special\": true}],"
		" \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\":"
		" \"Lowercase\"}]}, \"model\": {\"type\": \"BPE\", \"unk_token\": \"<unk>\","
		" \"byte_fallback\": true, \"vocab\": {\"<pad>\": 0, \"<eos>\": 1, \"<unk>\": 3,"
		" \"a\": 4, \"b\": 5, \"\u2581\": 6, \"ab\": 7, \"\u2581ab\": 8");
	for (int i = 0; i < 256; i++)
		ims_buf_text(&b, ", \"<0x%02X>\": %d", i, 10 + i);
	ims_buf_text(&b, "}, \"merges\": [[\"a\", \"b\"], [\"\u2581\", \"ab\"]]}}");
	write_file("tokenizer.json", b.data, b.len);
	ims_buf_free(&b);
	tokenizer *t = open_file("tokenizer.json", TOKENIZER_TRANSFORMERS);
	gives(t, "ab AB  ba", 7, 8, 6, 6, 5, 4, 1);
	gives(t, "a\u00e9", 4, 10 + 0xc3, 10 + 0xa9, 1);
	gives(t, "ab<b><b><b>ab", 7, 301, 300, 7, 1);
	gives(t, "", 1);
	ims_tokenizer_free(t);
	t = open_file("tokenizer.json", TOKENIZER_OPEN_CLIP);
	gives(t, "  A.B &amp; ab ", 7, 8, 1);
	gives(t, "a_b", 4, 6, 5, 1);
	ims_tokenizer_free(t);
}

/* --------------------------------------------------------------------------- SentencePiece ---- */

static void put_varint(buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		ims_buf_u8(b, (uint8_t)(v | 0x80));
	ims_buf_u8(b, (uint8_t)v);
}

static void put_bytes(buf *b, unsigned number, const void *data, size_t size)
{
	put_varint(b, number << 3 | 2);
	put_varint(b, size);
	ims_buf_put(b, data, size);
}

static void put_piece(buf *b, const char *text, float score, unsigned type)
{
	buf p = { 0 };
	put_bytes(&p, 1, text, strlen(text));
	put_varint(&p, 2 << 3 | 5);
	ims_buf_f32(&p, score);
	put_varint(&p, 3 << 3);
	put_varint(&p, type);
	put_bytes(b, 1, p.data, p.len);
	ims_buf_free(&p);
}

/* A rule that makes "A" "a": a double array of a root, one letter and its leaf. */
static void put_rules(buf *rules)
{
	enum { UNITS = 0x200, LETTER = 0x100 ^ 'A', LEAF = LETTER ^ 1 };
	ims_buf_u32(rules, 4 * UNITS);
	for (unsigned i = 0; i < UNITS; i++)
		ims_buf_u32(rules,
			i == 0            ? 0x100 << 10
				: i == LETTER ? 1 << 10 | 0x100 | 'A'
				: i == LEAF   ? 0x80000000
							  : 0);
	ims_buf_put(rules, "a", 2);
}

static void put_rule(buf *b)
{
	buf rules = { 0 }, normaliser = { 0 };
	put_rules(&rules);
	put_bytes(&normaliser, 2, rules.data, rules.len);
	put_bytes(b, 3, normaliser.data, normaliser.len);
	ims_buf_free(&rules);
	ims_buf_free(&normaliser);
}

static void put_model(buf *b)
{
	put_piece(b, "<pad>", 0, 3);
	put_piece(b, "</s>", 0, 3);
	put_piece(b, "<unk>", 0, 2);
	put_piece(b, "\u2581", -2, 1);
	put_piece(b, "a", -3, 1);
	put_piece(b, "b", -3, 1);
	put_piece(b, "ab", -4, 1);
	put_piece(b, "\u2581a", -3.5F, 1);
	put_piece(b, "bab", -6, 1);
	put_piece(b, "abab", -1, 5); /* unused */
	put_rule(b);
}

static void cuts_into_the_likeliest_pieces(void **state)
{
	(void)state;
	buf b = { 0 };
	put_model(&b);
	write_file("spiece.model", b.data, b.len);
	ims_buf_free(&b);
	tokenizer *t = open_file("spiece.model", TOKENIZER_TRANSFORMERS);
	gives(t, "a", 7, 1);
	gives(t, "ab", 3, 6, 1);       /* -2 - 4, not -3.5 - 3 */
	gives(t, "abab", 7, 8, 1);     /* -3.5 - 6 */
	gives(t, "A, B!", 7, 3, 5, 1); /* punctuation goes */
	gives(t, "a\u2581\u2581 a", 7, 7, 1);
	gives(t, "\u00e9\u00e8", 3, 2, 1); /* unknown ones beside each other are one */
	gives(t, "", 3, 1);
	gives(t, " . ", 3, 1);
	int32_t out[CONTEXT];
	encode(t, "a", out);
	assert_int_equal(out[CONTEXT - 1], 1); /* filled up with the end */
	ims_tokenizer_free(t);
}

static void refuses_damaged_models(void **state)
{
	(void)state;
	buf b = { 0 };
	tokenizer *t;
	imgsearch_error err;
	put_model(&b);
	write_file("spiece.model", b.data, b.len);
	t = open_file("spiece.model", TOKENIZER_TRANSFORMERS);
	ims_tokenizer_free(t);
	for (size_t n = 0; n < b.len; n += n < 200 ? 1 : 97) { /* cut off: refused, or fewer pieces */
		write_file("spiece.model", b.data, n);
		if (!ims_tokenizer_open(&t, in_folder("spiece.model"), TOKENIZER_OPEN_CLIP, &err)) {
			int32_t out[CONTEXT];
			encode(t, "ab A \u00e9", out);
			ims_tokenizer_free(t);
		} else {
			assert_non_null(strstr(err.message, "spiece.model: "));
		}
	}
	for (size_t i = 0; i < b.len; i += i < 200 ? 1 : 7) { /* flipped: no crash */
		b.data[i] ^= 0x81;
		write_file("spiece.model", b.data, b.len);
		if (!ims_tokenizer_open(&t, in_folder("spiece.model"), TOKENIZER_OPEN_CLIP, &err)) {
			int32_t out[CONTEXT];
			encode(t, "ab A \u00e9", out);
			ims_tokenizer_free(t);
		}
		b.data[i] ^= 0x81;
	}
	size_t whole = b.len;
	put_piece(&b, "c", NAN, 1);
	write_file("spiece.model", b.data, b.len);
	refuses("spiece.model", IMGSEARCH_EFORMAT, "damaged");
	b.len = whole;
	const uint8_t cut_type[] = { 2 << 3 | 2, 1, 3 << 3 }, cut_piece[] = { 1 << 3 | 2, 1, 2 << 3 };
	for (int piece = 0; piece < 2; piece++) { /* a message whose last value is missing */
		ims_buf_put(&b, piece ? cut_piece : cut_type, sizeof cut_type);
		write_file("spiece.model", b.data, b.len);
		refuses("spiece.model", IMGSEARCH_EFORMAT, "damaged");
		b.len = whole;
	}
	const uint8_t word_piece[] = { 2 << 3 | 2, 2, 3 << 3, 2 };
	ims_buf_put(&b, word_piece, sizeof word_piece);
	write_file("spiece.model", b.data, b.len);
	refuses("spiece.model", IMGSEARCH_EUNSUPPORTED, "another kind than unigram");
	ims_buf_free(&b);
}

static void put_base64(buf *out, const buf *data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < data->len; i += 3) {
		size_t n = data->len - i < 3 ? data->len - i : 3;
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < n ? data->data[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			ims_buf_u8(out, (uint8_t)(j <= n ? digits[bits >> (18 - 6 * j) & 63] : '='));
	}
}

/* The pieces of put_model as tokenizer.json has them; rules: in base64. */
static void write_unigram(const char *rules, const char *more)
{
	buf b = { 0 };
	ims_buf_text(&b,
		"{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Precompiled\","
		" \"precompiled_charsmap\": \"%s\"}]}, \"model\": {\"type\": \"Unigram\", %s \"vocab\": "
		"[[\"<pad>\", 0], [\"</s>\", 0], [\"<unk>\", 0], [\"\u2581\", -2], [\"a\", -3], "
		"[\"b\", -3], [\"ab\", -4], [\"\u2581a\", -3.5], [\"bab\", -6]]}}",
		rules, more);
	write_file("tokenizer.json", b.data, b.len);
	ims_buf_free(&b);
}

static void reads_pieces_of_json(void **state)
{
	(void)state;
	buf rules = { 0 }, text = { 0 };
	put_rules(&rules);
	put_base64(&text, &rules);
	ims_buf_u8(&text, 0);
	write_unigram((const char *)text.data, "\"unk_id\": 2,");
	tokenizer *t = open_file("tokenizer.json", TOKENIZER_OPEN_CLIP);
	gives(t, "a", 7, 1);
	gives(t, "ab", 3, 6, 1);
	gives(t, "abab", 7, 8, 1);
	gives(t, "A, B!", 7, 3, 5, 1);
	gives(t, "\u2581a \u2581", 7, 3, 3, 1); /* the mark there is counts; the last one stays */
	gives(t, "\u00e9\u00e8", 3, 2, 1);
	gives(t, "", 1);
	ims_tokenizer_free(t);
	write_unigram((const char *)text.data, "");
	refuses("tokenizer.json", IMGSEARCH_EFORMAT, "no token for what is unknown");
	write_unigram("AAA", "\"unk_id\": 2,");
	refuses("tokenizer.json", IMGSEARCH_EFORMAT, "rules of normalisation are damaged");
	write_unigram("A*A=", "\"unk_id\": 2,");
	refuses("tokenizer.json", IMGSEARCH_EFORMAT, "rules of normalisation are damaged");
	write_unigram("", "\"unk_id\": 2, \"vocab\": [[\"a\"]],");
	refuses("tokenizer.json", IMGSEARCH_EFORMAT, "piece 1 has no text and score");
	ims_buf_free(&rules);
	ims_buf_free(&text);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_folder(cuts_words_as_clip_does),
		in_a_folder(cleans_as_clip_does),
		in_a_folder(cuts_long_texts_off),
		in_a_folder(refuses_damaged_merges),
		in_a_folder(reads_hugging_faces_files),
		in_a_folder(finds_the_merges_of_one_of_several_models),
		in_a_folder(refuses_damaged_json),
		in_a_folder(falls_back_to_bytes),
		in_a_folder(cuts_into_the_likeliest_pieces),
		in_a_folder(refuses_damaged_models),
		in_a_folder(reads_pieces_of_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
