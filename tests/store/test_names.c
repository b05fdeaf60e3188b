/* Other names of a file: what becomes of them and of their picture. */
#include "common.h"

static int64_t add_name(store *st, const char *path, int64_t file_, int64_t of, uint8_t content)
{
	int64_t id = add_copy(st, path, of, content);
	ok(name_files(st, NAME_SET, id, file_, &err));
	return id;
}

static void is_in(store *st, int64_t id, uint32_t state, int64_t same_as, int64_t same_file)
{
	store_picture p;
	ok(ims_store_picture_get(st, id, &p, &err));
	if (p.state != state || p.same_as != same_as || p.same_file != same_file)
		fail_msg("%s: state %u, same_as %lld, same_file %lld", p.path, p.state,
			(long long)p.same_as, (long long)p.same_file);
	ims_store_picture_clear(&p);
}

static void counts_are(store *st, uint64_t indexed, uint64_t duplicate, uint64_t link)
{
	store_counts c;
	ok(ims_store_counts(st, &c, &err));
	assert_int_equal(c.by_state[IMGSEARCH_STATE_INDEXED], indexed);
	assert_int_equal(c.by_state[IMGSEARCH_STATE_DUPLICATE], duplicate);
	assert_int_equal(c.by_state[IMGSEARCH_STATE_LINK], link);
	assert_int_equal(c.vectors, indexed);
	assert_int_equal(problems(st), 0);
}

enum {
	INDEXED = IMGSEARCH_STATE_INDEXED,
	COPY = IMGSEARCH_STATE_DUPLICATE,
	NAME = IMGSEARCH_STATE_LINK,
	GONE = IMGSEARCH_STATE_DELETED
};

static void a_name_is_no_duplicate(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_name(st, "b", a, a, 1),
			c = add_copy(st, "c", a, 1), d = add_name(st, "d", c, a, 1),
			other = add_picture(st, 0, "other", 2);
	commit(st);
	is_in(st, b, NAME, a, a);
	is_in(st, d, NAME, a, c);
	counts_are(st, 2, 1, 2);
	begin(st);
	fails(IMGSEARCH_EINVAL, name_files(st, NAME_SET, a, c, &err)); /* it has the vector */
	fails(IMGSEARCH_EINVAL, name_files(st, NAME_SET, c, b, &err)); /* that is a name itself */
	fails(IMGSEARCH_EINVAL, name_files(st, NAME_SET, 999, a, &err));
	fails(IMGSEARCH_EINVAL, name_files(st, NAME_CLEAR, c, 0, &err));
	ok(name_files(st, NAME_SET, c, a, &err)); /* and d with it */
	commit(st);
	is_in(st, c, NAME, a, a);
	is_in(st, d, NAME, a, a);
	counts_are(st, 2, 0, 3);
	begin(st);
	ok(name_files(st, NAME_CLEAR, d, 0, &err));
	assert_int_equal(add_copy(st, "b", a, 1), b);     /* read again: it stays a name */
	assert_int_equal(add_copy(st, "c", other, 2), c); /* other bytes */
	commit(st);
	is_in(st, b, NAME, a, a);
	is_in(st, c, COPY, other, 0);
	is_in(st, d, COPY, a, 0);
	counts_are(st, 2, 2, 1);
	ims_store_close(st);
}

static void the_next_name_becomes_the_picture(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "m", 1), copy = add_copy(st, "a", a, 1),
			copys = add_name(st, "b", copy, a, 1), z = add_name(st, "z", a, a, 1),
			n = add_name(st, "n", a, a, 1);
	commit(st);
	begin(st);
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	is_in(st, n, INDEXED, 0, 0); /* the first by path, before the copy */
	is_in(st, z, NAME, n, n);
	is_in(st, copy, COPY, n, 0);
	is_in(st, copys, NAME, n, copy);
	assert_true(has_vector(st, n));
	counts_are(st, 1, 1, 2);
	begin(st);
	store_picture changed = { .path = "n", .size = 7, .state = INDEXED, .hash.byte = { 9 } };
	float v[4] = { 1, 2, 3, 4 };
	ok(put_row(st, &changed, &err));
	ok(put_vector(st, changed.id, v, 4, false, &err));
	commit(st);
	is_in(st, z, INDEXED, 0, 0);
	is_in(st, copys, NAME, z, copy);
	counts_are(st, 2, 1, 1);
	begin(st);
	ok(ims_store_remove(st, ONE(copy), &err)); /* a duplicate with a name */
	commit(st);
	is_in(st, copys, COPY, z, 0);
	begin(st);
	ok(ims_store_remove(st, ONE(z), &err));
	ok(ims_store_remove(st, ONE(copys), &err));
	commit(st);
	counts_are(st, 1, 0, 0);
	ims_store_close(st);
}

static void names_go_and_come_back_with_their_picture(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_name(st, "b", a, a, 1),
			c = add_copy(st, "c", a, 1), d = add_name(st, "d", c, a, 1);
	ok(ims_store_keep_out(st, ONE(d), &err));
	commit(st);
	is_in(st, a, GONE, 0, 0);
	is_in(st, b, GONE, a, a);
	is_in(st, d, GONE, a, c);
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_readmit(st, ONE(b), &err));
	commit(st);
	is_in(st, a, INDEXED, 0, 0);
	is_in(st, b, NAME, a, a);
	is_in(st, c, COPY, a, 0);
	is_in(st, d, NAME, a, c);
	counts_are(st, 1, 1, 2);
	begin(st);
	ok(ims_store_keep_out(st, ONE(a), &err));
	ok(ims_store_remove(st, ONE(a), &err)); /* b keeps the bytes out now */
	commit(st);
	is_in(st, b, GONE, 0, 0);
	is_in(st, d, GONE, b, c);
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_readmit(st, ONE(c), &err));
	commit(st);
	is_in(st, b, INDEXED, 0, 0);
	is_in(st, c, COPY, b, 0);
	is_in(st, d, NAME, b, c);
	counts_are(st, 1, 1, 1);
	ims_store_close(st);
}

static void paths_are_exchanged(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	store_picture p;
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_name(st, "b", a, a, 1);
	ok(put_ctime(st, b, (timestamp){ -3, 4 }, &err));
	ok(name_files(st, PATHS_SWAP, a, b, &err));
	commit(st);
	ok(ims_store_picture_get(st, a, &p, &err));
	assert_string_equal(p.path, "b");
	assert_true(p.state == INDEXED && p.mtime.seconds == 1 && p.mtime.nanoseconds == 5);
	assert_true(p.has_ctime && p.ctime.seconds == -3 && p.ctime.nanoseconds == 4);
	ims_store_picture_clear(&p);
	ok(ims_store_picture_get(st, b, &p, &err));
	assert_string_equal(p.path, "a");
	assert_true(p.state == NAME && !p.has_ctime && p.same_file == a);
	ims_store_picture_clear(&p);
	counts_are(st, 1, 0, 1);
	begin(st);
	fails(IMGSEARCH_ENOTFOUND, name_files(st, PATHS_SWAP, a, 999, &err));
	commit(st);
	ims_store_close(st);
}

typedef struct found_paths {
	char text[200];
} found_paths;

static int add_path(void *user, size_t i, const store_picture *p, const char *root)
{
	found_paths *f = user;
	char one[60];
	snprintf(one, sizeof one, "%zu:%s%s%s ", i, root, *root ? "/" : "", p->path);
	strcat(f->text, one);
	return 0;
}

static void other_paths_of_pictures(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	int64_t root, *ids;
	size_t n;
	found_paths f = { "" };
	begin(st);
	ok(ims_store_root_add(st, "/r", &root, &err));
	int64_t a = add_picture(st, root, "x/a", 1), alone = add_picture(st, root, "x/alone", 2);
	add_name(st, "/z", a, a, 1);
	add_copy(st, "/b/c", a, 1);
	commit(st);
	ok(ims_store_paths_lookup(st, (int64_t[]){ alone, a }, 2, add_path, &f, &err));
	assert_string_equal(f.text, "1:/b/c 1:/z ");
	assert_int_equal(ims_store_paths_lookup(st, (int64_t[]){ a }, 0, add_path, &f, NULL), 0);
	static const struct {
		const char *folder;
		size_t n;
	} cases[] = { { "/r", 2 }, { "/b", 1 }, { "/z", 0 }, { "/", 2 }, { "/c", 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ok(ims_store_ids_under(st, cases[i].folder, &ids, &n, &err));
		assert_int_equal(n, cases[i].n);
		ims_free(ids);
	}
	ims_store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_is_no_duplicate, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(a_name_is_no_duplicate, in_memory, remove_folder),
		cmocka_unit_test_setup_teardown(the_next_name_becomes_the_picture, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(names_go_and_come_back_with_their_picture, on_file,
			remove_folder),
		cmocka_unit_test_setup_teardown(paths_are_exchanged, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(other_paths_of_pictures, on_file, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
