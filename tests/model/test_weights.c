/*
 * Readers of weights files: what good files give, and that no broken or hostile one gives anything
 * but a clear error.
 */
#include "files.h"
#include "test.h"

#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fstat_fails;

/* In place of the C library's. */
int fstat(int fd, struct stat *out)
{
	if (!fstat_fails)
		return fstatat(fd, "", out, AT_EMPTY_PATH);
	memset(out, 0xff, sizeof *out); /* a size that must not be used */
	errno = EIO;
	return -1;
}

typedef void maker(buf *b);

static void make_safetensors(buf *b)
{
	put_safetensors(b, GOOD_HEADER);
}

static maker *const makers[] = { put_zip, put_legacy, make_safetensors };

static int parse(const buf *b, weights *w, imgsearch_error *err)
{
	*w = (weights){ 0 };
	return ims_weights_parse(w, b->data, b->len, err);
}

static void refused(const buf *b, const char *word)
{
	weights w;
	imgsearch_error err = { 0 };
	int rc = parse(b, &w, &err);
	if (!rc || !strstr(err.message, word))
		fail_msg("wanted \"%s\", got %d \"%s\"", word, rc, err.message);
	assert_int_equal(w.n, 0);
}

static const shim_tensor *named(const weights *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->tensor[i].name, name))
			return &w->tensor[i];
	fail_msg("no tensor %s", name);
	return NULL;
}

static void good_files(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		buf b = { 0 };
		weights w;
		makers[k](&b);
		assert_int_equal(parse(&b, &w, NULL), 0);
		const shim_tensor *a = named(&w, "a.weight"), *n = named(&w, "n");
		assert_int_equal(a->ndim, 2);
		assert_int_equal(a->shape[0], 2);
		assert_int_equal(a->shape[1], 3);
		for (int i = 0; i < 6; i++)
			assert_true(((const float *)a->data)[i] == (float)i);
		assert_int_equal(*(const int64_t *)n->data, 42);
		assert_int_equal(n->dtype, SHIM_I64);
		ims_weights_free(&w);
		ims_buf_free(&b);
	}
}

/* A channels-last or transposed tensor comes out row-major. */
static void strided_data_is_copied(void **state)
{
	(void)state;
	static const float want[] = { 0, 3, 1, 4, 2, 5 };
	buf b = { 0 };
	weights w;
	put_zip(&b);
	assert_int_equal(parse(&b, &w, NULL), 0);
	const shim_tensor *t = named(&w, "b.weight");
	assert_int_equal(t->shape[0], 3);
	assert_memory_equal(t->data, want, sizeof want);
	ims_weights_free(&w);
	ims_buf_free(&b);
}

/* Every prefix of a good file is refused and frees what it took. */
static void truncated_anywhere(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		buf b = { 0 };
		weights w;
		imgsearch_error err;
		makers[k](&b);
		for (size_t n = 0; n < b.len; n++) {
			uint8_t *cut = malloc(n ? n : 1); /* its end is a border that the sanitizer sees */
			memcpy(cut, b.data, n);
			w = (weights){ 0 };
			int rc = ims_weights_parse(&w, cut, n, &err);
			assert_int_not_equal(rc, 0);
			assert_true(err.message[0]);
			free(cut);
		}
		ims_buf_free(&b);
	}
}

/* A flipped byte may go unnoticed (a number is a number) but never does harm. */
static void flipped_bytes(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		buf b = { 0 };
		weights w;
		makers[k](&b);
		for (size_t i = 0; i < b.len * 8; i++) {
			b.data[i / 8] ^= (uint8_t)(1 << i % 8);
			if (parse(&b, &w, NULL) == 0)
				ims_weights_free(&w);
			b.data[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		ims_buf_free(&b);
	}
}

static void failing_allocations(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		buf b = { 0 };
		weights w;
		imgsearch_error err;
		int rc = IMGSEARCH_ENOMEM;
		makers[k](&b);
		for (uint64_t n = 1; rc; n++) {
			ims_alloc_fail_after(n);
			rc = parse(&b, &w, &err);
			ims_alloc_fail_after(0);
			if (rc)
				assert_int_equal(rc, IMGSEARCH_ENOMEM);
			assert_true(n < 1000);
		}
		ims_weights_free(&w);
		ims_buf_free(&b);
	}
}

/* Each pickle below would run code, or eat memory, in a reader that believed it. */
static void hostile_pickles(void **state)
{
	(void)state;
#define P(text) \
	{ \
		text, sizeof text - 1 \
	}
	static const struct {
		struct {
			const char *text;
			size_t n;
		} pickle;
		const char *word;
	} cases[] = {
		{ P("\x80\2cos\nsystem\nX\2\0\0\0id\x85R."), "os.system" },
		{ P("\x80\2cposix\nsystem\n(X\2\0\0\0idtR."), "posix.system" },
		{ P("\x80\2cbuiltins\neval\n(X\1\0\0\0"
			"1tR."),
			"builtins.eval" },
		{ P("\x80\2ctorch\nload\n."), "torch.load" },
		{ P("\x80\2ctorchvision.models.resnet\nResNet\n)\x81."), "save model.state_dict()" },
		{ P("\x80\4\x8c\2os\x8c\6system\x93."), "os.system" },
		{ P("\x80\2(cos\nsystem\no."), "os.system" },
		{ P("\x80\2(i__main__\nX\n."), "opcode 0x69" },
		{ P("\x80\2(o."), "opcode 0x6f" },
		{ P("\x80\2)\x81."), "opcode 0x81" },
		{ P("\x80\2\x82\1."), "opcode 0x82" },
		{ P("\x80\2N\x85R."), "the stack is empty" },
		{ P("\x80\2}X\1\0\0\0aNs0."), "wrong number of values" },
		{ P("\x80\2}(X\1\0\0\0au."), "without a value" },
		{ P("\x80\2N(NNe."), "takes none" },
		{ P("\x80\2u."), "no mark" },
		{ P("\x80\2j\xff\xff\xff\xff."), "never set" },
		{ P("\x80\2Nr\xff\xff\xff\xff."), "memo number" },
		{ P("\x80\2X\xff\xff\xff\xff"
			"abc."),
			"text is cut off" },
		{ P("\x80\2\x8a\xff"
			"a."),
			"number is cut off" },
		{ P("\x80\2]."), "no state dict" },
		{ P("\x80\2NQ."), "no storage" },
		{ P("\x80\2ccollections\nOrderedDict\nNR."), "cannot be called" },
		{ P("\x80\2ccollections\nOrderedDict\nN\x85R."), "with arguments" },
		{ P("\x80\2ctorch._utils\n_rebuild_tensor_v2\nN\x85R."), "wrong arguments" },
		{ P("\x80\2NNb."), "no dict" },
		{ P("\x80\2."), "wrong number" },
		{ P("\x80\2}."), "no tensors at the top" },
		{ P("\x80\2}X\3\0\0\0net}s."), "the first key is \"net\"" },
		{ P("\x80\2}X\5\0\0\0epochK\3s."), "nor below \"state_dict\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf legacy = { 0 }, zip = { 0 };
		made_entry entry = { "w/data.pkl", { 0 } };
		ims_buf_put(&entry.data, cases[i].pickle.text, cases[i].pickle.n);
		put_archive(&zip, &entry, 1);
		put_magic(&legacy);
		ims_buf_put(&legacy, "\x80\2M\xe9\3.\x80\2}.", 10);
		ims_buf_put(&legacy, cases[i].pickle.text, cases[i].pickle.n);
		ims_buf_put(&legacy, "\x80\2].", 4);
		/* "(o" with a global before it fails at the global: both are refusals */
		refused(&zip, cases[i].word);
		refused(&legacy, cases[i].word);
		ims_buf_free(&entry.data);
		ims_buf_free(&zip);
		ims_buf_free(&legacy);
	}
}

static void many_values(void **state)
{
	(void)state;
	buf zip = { 0 };
	made_entry entry = { "w/data.pkl", { 0 } };
	ims_buf_text(&entry.data, "(");
	memset(ims_buf_grow(&entry.data, 3 << 20), 'N', 3 << 20);
	put_archive(&zip, &entry, 1);
	refused(&zip, "more values than");
	ims_buf_free(&entry.data);
	ims_buf_free(&zip);
}

typedef struct view {
	uint32_t numel, offset, rows, columns, stride0, stride1;
	const char *type, *word;
} view;

/* A tensor that points anywhere but into its storage of six floats. */
static void views_outside(void **state)
{
	(void)state;
	static const view cases[] = {
		{ 6, 1, 2, 3, 3, 1, "FloatStorage", "outside" },
		{ 6, 0, 3, 3, 3, 1, "FloatStorage", "outside" },
		{ 6, 0, 2, 3, 4, 1, "FloatStorage", "outside" },
		{ 6, 0x7fffffff, 1, 1, 1, 1, "FloatStorage", "outside" },
		{ 6, 0xffffffff, 1, 1, 1, 1, "FloatStorage", "outside" },
		{ 6, 0, 0x7fffffff, 0x7fffffff, 0, 0, "FloatStorage", "shape" },
		{ 6, 0, 0x7fffffff, 1, 0, 0, "FloatStorage", "outside" },
		{ 6, 0, 2, 0xffffffff, 1, 1, "FloatStorage", "shape" },
		{ 6, 0, 2, 3, 0xfffffffd, 1, "FloatStorage", "shape" },
		{ 6, 0, 2, 3, 3, 1, "LongStorage", "outside" },
		{ 6, 0, 1, 3, 3, 1, "DoubleStorage", "another type than f32" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const view *v = &cases[i];
		buf zip = { 0 };
		made_entry entry[2] = { { "w/data.pkl", { 0 } }, { "w/data/0", { 0 } } };
		ims_buf_put(&entry[0].data, "\x80\2}(", 4);
		put_tensor(&entry[0].data, "t", v->type, "0", v->numel, v->offset, v->rows, v->columns,
			v->stride0, v->stride1);
		ims_buf_text(&entry[0].data, "u.");
		put_numbers(&entry[1].data);
		put_archive(&zip, entry, 2);
		refused(&zip, v->word);
		ims_buf_free(&entry[0].data);
		ims_buf_free(&entry[1].data);
		ims_buf_free(&zip);
	}
}

static void hostile_archives(void **state)
{
	(void)state;
	buf good = { 0 };
	put_zip(&good);
	uint8_t *end = good.data + good.len - 22;
	uint32_t directory = (uint32_t)(end[16] | end[17] << 8);
	uint8_t *first = good.data + directory;

	end[10] = 0xff, end[11] = 0xfe; /* more entries than bytes */
	refused(&good, "more entries");
	end[10] = 4, end[11] = 0;

	memset(end + 16, 0xfe, 4); /* a directory far away */
	refused(&good, "directory");
	memcpy(end + 16, &directory, 4);

	first[10] = 8; /* deflated */
	refused(&good, "compressed");
	first[10] = 0;

	memset(first + 24, 0xfe, 4); /* an entry that is longer than the file */
	refused(&good, "cut off");
	ims_buf_free(&good);

	buf other = { 0 };
	made_entry entry = { "hello.txt", { 0 } };
	put_archive(&other, &entry, 1);
	refused(&other, "data.pkl is missing");
	ims_buf_free(&other);
}

static void torchscript_is_told_apart(void **state)
{
	(void)state;
	buf b = { 0 };
	weights w;
	made_entry entry[2] = { { "m/data.pkl", { 0 } }, { "m/constants.pkl", { 0 } } };
	put_archive(&b, entry, 2);
	assert_int_equal(parse(&b, &w, NULL), 0);
	assert_int_equal(w.script, 1);
	ims_weights_free(&w);
	ims_buf_free(&b);
}

/* libtorch would unpack what the archive claims. */
static void programs_that_claim_too_much(void **state)
{
	(void)state;
	buf b = { 0 };
	weights w;
	made_entry entry[2] = { { "m/data.pkl", { 0 } }, { "m/constants.pkl", { 0 } } };
	put_archive(&b, entry, 2);
	uint8_t *end = b.data + b.len - 22, *first = b.data + (end[16] | end[17] << 8);
	first[24] = 1; /* a byte, stored in none */
	refused(&b, "\"m/data.pkl\" claims 1 bytes");
	first[24] = 0;
	first[16] = 1; /* its checksum */
	refused(&b, "\"m/data.pkl\" does not have its checksum");
	first[16] = 0;
	assert_int_equal(parse(&b, &w, NULL), 0);
	ims_weights_free(&w);
	first[10] = 8; /* deflated, of which nothing is no beginning */
	refused(&b, "\"m/data.pkl\" does not have its checksum");
	memset(first + 24, 0xfe, 4);
	refused(&b, "\"m/data.pkl\" claims 4278124286 bytes");
	memset(first + 24, 0, 4);
	memset(first + 20, 0xfe, 4);
	refused(&b, "\"m/data.pkl\" is cut off");
	memset(first + 20, 0, 4);
	memset(first + 42, 0xfe, 4);
	refused(&b, "\"m/data.pkl\" lies outside the file");
	ims_buf_free(&b);
}

static void hostile_safetensors(void **state)
{
	(void)state;
	static const struct {
		const char *header, *word;
	} cases[] = {
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,40]}}", "outside" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},\"b\":{\"dtype\":"
		  "\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
			"overlap" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[0,24]}}", "fit its shape" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
			"fit its shape" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[9007199254740992,1024],\"data_offsets\":[0,24]}}",
			"fit its shape" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2,-3],\"data_offsets\":[0,24]}}",
			"invalid description" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,0]}}",
			"invalid description" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,6],\"data_offsets\":[0,24]}}",
			"invalid description" },
		{ "{\"a\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[0,24]}}",
			"\"a\" has type \"F64\"" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,10]}}",
			"invalid description" },
		{ "{\"a\":{\"shape\":[6],\"data_offsets\":[0,24]}}", "\"a\" has type \"\"" },
		{ "{\"a\":7}", "invalid description" },
		{ "{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", "no JSON" },
		{ "{\"__metadata__\":[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]}", "too deep" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		  "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
			"\"a\" is there twice" },
		{ "{} x", "follows its end" },
		{ "{\"a\"}", "colon" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf b = { 0 };
		put_safetensors(&b, cases[i].header);
		refused(&b, cases[i].word);
		ims_buf_free(&b);
	}
	buf huge = { 0 };
	put_safetensors(&huge, GOOD_HEADER);
	memset(huge.data, 0x7f, 8);
	refused(&huge, "cut off");
	ims_buf_free(&huge);
}

static void written_files_are_read(void **state)
{
	(void)state;
	static const float row[] = { 1, 2, 3 };
	static const uint16_t half[] = { 0x3c00, 0x4000 };
	const shim_tensor tensors[] = {
		{ "project.weight", row, SHIM_F32, 2, { 1, 3 } },
		{ "h", half, SHIM_F16, 1, { 2 } },
		{ "empty", NULL, SHIM_F32, 1, { 0 } },
	};
	char path[] = "/tmp/imgsearch-test-XXXXXX";
	weights w;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ims_safetensors_write(path, tensors, 3, NULL), 0);
	assert_int_equal(ims_weights_open(&w, path, NULL), 0);
	assert_int_equal(w.n, 3);
	assert_memory_equal(named(&w, "project.weight")->data, row, sizeof row);
	assert_memory_equal(named(&w, "h")->data, half, sizeof half);
	assert_int_equal(named(&w, "empty")->shape[0], 0);
	ims_weights_free(&w);
	unlink(path);
	imgsearch_error err;
	assert_int_equal(ims_weights_open(&w, path, &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(ims_safetensors_write("/nowhere/at/all.safetensors", tensors, 1, &err),
		IMGSEARCH_EIO);
	assert_int_equal(ims_weights_open(&w, "/tmp", &err), IMGSEARCH_EIO);
}

static void files_that_cannot_be_asked_for_their_size(void **state)
{
	(void)state;
	imgsearch_error err;
	weights w;
	hash256 hash;
	fstat_fails = true;
	assert_int_equal(ims_weights_open(&w, "/proc/self/exe", &err), IMGSEARCH_EIO);
	assert_int_equal(ims_weights_hash(&hash, "/proc/self/exe", &err), IMGSEARCH_EIO);
	fstat_fails = false;
	assert_int_equal(w.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files),
		cmocka_unit_test(strided_data_is_copied),
		cmocka_unit_test(truncated_anywhere),
		cmocka_unit_test(flipped_bytes),
		cmocka_unit_test(failing_allocations),
		cmocka_unit_test(hostile_pickles),
		cmocka_unit_test(many_values),
		cmocka_unit_test(views_outside),
		cmocka_unit_test(hostile_archives),
		cmocka_unit_test(torchscript_is_told_apart),
		cmocka_unit_test(programs_that_claim_too_much),
		cmocka_unit_test(hostile_safetensors),
		cmocka_unit_test(written_files_are_read),
		cmocka_unit_test(files_that_cannot_be_asked_for_their_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
