/*
 * The file of an index is replaced, moved or deleted under an open handle. Each call after that is
 * an error that says so, and nothing is written to a file that nobody sees.
 */
#include "common.h"

#include <stdatomic.h>
#include <sys/stat.h>

/* Readers look at the file at most once a millisecond: at every read of this clock one is over. */
double ims_now(void)
{
	static atomic_llong milliseconds;
	return (double)atomic_fetch_add(&milliseconds, 2) / 1000;
}

enum { DIM = 4 };

static char other[120], aside[120], copy[120];

static imgsearch *open_index(const char *path, bool read_only)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = read_only ? 0 : DIM;
	o.read_only = read_only;
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	return s;
}

static int add(imgsearch *s, float value, imgsearch_error *err)
{
	float row[DIM] = { value, 1, 2, 3 };
	return imgsearch_vectors_add(s, row, 1, DIM, NULL, NULL, NULL, err);
}

static int query(imgsearch *s, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_item(0);
	int rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, err);
	imgsearch_hits_free(hits);
	return rc;
}

static uint64_t count(const char *path)
{
	imgsearch_info *info;
	imgsearch *s = open_index(path, true);
	ok(imgsearch_info_get(s, NULL, &info, &err));
	uint64_t n = info->vectors;
	imgsearch_info_free(info);
	imgsearch_close(s);
	return n;
}

/* An index of n rows, without a journal. */
static void make(const char *path, int n)
{
	imgsearch *s = open_index(path, false);
	for (int i = 0; i < n; i++)
		ok(add(s, (float)i, &err));
	imgsearch_close(s);
}

static int set_up(void **state)
{
	int rc = make_folder(state);
	snprintf(other, sizeof other, "%s/other.db", folder);
	snprintf(aside, sizeof aside, "%s/aside.db", folder);
	snprintf(copy, sizeof copy, "%s/copy.db", folder);
	return rc;
}

static int tear_down(void **state)
{
	char command[200];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static void rename_over(void)
{
	make(other, 7);
	assert_int_equal(rename(other, file), 0);
}

static void delete (void)
{
	assert_int_equal(unlink(file), 0);
}

static void move_away(void)
{
	assert_int_equal(rename(file, aside), 0);
}

static void delete_and_make(void)
{
	delete ();
	make(file, 7);
}

/* A backup takes the place of the file by a rename. */
static void restore_backup(void)
{
	imgsearch *s = open_index(file, true);
	ok(imgsearch_index_backup(s, other, NULL, NULL, &err));
	imgsearch_close(s);
	assert_int_equal(rename(other, file), 0);
}

static void copy_over(const char *from)
{
	char command[300];
	snprintf(command, sizeof command, "cat '%s' > '%s'", from, file);
	assert_int_equal(system(command), 0);
	assert_int_equal(unlink(from), 0);
}

static void overwrite_alike(void)
{
	make(other, 3);
	copy_over(other);
}

static void overwrite_by_larger(void)
{
	imgsearch *s = open_index(other, false);
	static float rows[20000 * DIM];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		rows[i] = (float)i + 1;
	ok(imgsearch_vectors_add(s, rows, 20000, DIM, NULL, NULL, NULL, &err));
	imgsearch_close(s);
	copy_over(other);
}

static void overwrite_by_backup(void)
{
	imgsearch *s = open_index(file, true);
	ok(imgsearch_index_backup(s, other, NULL, NULL, &err));
	imgsearch_close(s);
	copy_over(other);
}

/* As large, so that no page of it is missing. */
static void overwrite_by_text(void)
{
	char command[400];
	snprintf(command, sizeof command, "yes | head -c $(stat -c %%s '%s') > '%s'", file, other);
	assert_int_equal(system(command), 0);
	copy_over(other);
}

/* SQLite would take the journal by the name at the end of the link. */
static void link_in_its_place(void)
{
	move_away();
	assert_int_equal(symlink(aside, file), 0);
}

/* The name of the journal, with an ending. */
static const char *journal(const char *ending)
{
	static char name[160];
	snprintf(name, sizeof name, "%s-wal%s", file, ending);
	return name;
}

static void delete_journal(void)
{
	assert_int_equal(unlink(journal("")), 0);
}

static void copy_journal(void)
{
	char command[600];
	snprintf(command, sizeof command, "cp '%s-wal' '%s-wal.new' && mv '%s-wal.new' '%s-wal'", file,
		file, file, file);
	assert_int_equal(system(command), 0);
}

typedef struct change {
	void (*change)(void);
	const char *says;
} change;

static const change changes[] = {
	{ rename_over, "replaced" },
	{ delete, "deleted" },
	{ move_away, "moved" },
	{ delete_and_make, "replaced" },
	{ restore_backup, "replaced" },
	{ overwrite_alike, "replaced" },
	{ overwrite_by_larger, "replaced" },
	{ overwrite_by_backup, "replaced" },
	{ overwrite_by_text, "replaced" },
	{ link_in_its_place, "replaced" },
};

#define REFUSED(says, call) \
	do { \
		imgsearch_error err = { 0 }; \
		assert_int_equal((call), IMGSEARCH_EIO); \
		assert_non_null(strstr(err.message, says)); \
	} while (0)

static void for_each_change(bool read_only, void (*body)(imgsearch *s, const change *c))
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		remove_files();
		make(file, 3);
		imgsearch *s = open_index(file, read_only);
		ok(query(s, &err));
		body(s, &changes[i]);
		imgsearch_close(s);
		unlink(aside);
	}
}

static void ask(imgsearch *s, const change *c)
{
	imgsearch_item *item;
	imgsearch_info *info;
	c->change();
	REFUSED(c->says, query(s, &err));
	REFUSED(c->says, imgsearch_item_get(s, 1, &item, &err));
	REFUSED(c->says, imgsearch_info_get(s, NULL, &info, &err));
	REFUSED(c->says, query(s, &err));
	REFUSED(c->says, imgsearch_index_backup(s, copy, NULL, NULL, &err));
	assert_int_not_equal(access(copy, F_OK), 0);
}

static void readers_are_told(void **state)
{
	(void)state;
	for_each_change(false, ask);
	for_each_change(true, ask);
}

static void write_to(imgsearch *s, const change *c)
{
	imgsearch_transaction *t;
	ok(add(s, 9, &err));
	c->change();
	REFUSED(c->says, add(s, 8, &err));
	REFUSED(c->says, imgsearch_build(s, NULL, NULL, NULL, &err));
	REFUSED(c->says, imgsearch_transaction_begin(s, NULL, &t, &err));
}

static void writers_are_told(void **state)
{
	(void)state;
	for_each_change(false, write_to);
}

static void commit_to(imgsearch *s, const change *c)
{
	imgsearch_transaction *t;
	float row[DIM] = { 1, 2, 3, 4 };
	ok(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.transaction = t;
	ok(imgsearch_vectors_add(s, row, 1, DIM, &o, NULL, NULL, &err));
	if (c->change != delete_and_make) /* which needs the lock that the transaction holds */
		c->change();
	else
		delete ();
	REFUSED(c->change == delete_and_make ? "deleted" : c->says,
		imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
}

static void transactions_are_told(void **state)
{
	(void)state;
	for_each_change(false, commit_to);
}

/* What the old handle does at its end leaves the new file alone, and its journal. */
static void the_new_file_is_whole(void **state)
{
	(void)state;
	make(file, 3);
	imgsearch *old = open_index(file, false);
	ok(query(old, &err));
	rename_over();
	imgsearch *s = open_index(file, false);
	ok(add(s, 20, &err));
	fails(IMGSEARCH_EIO, add(old, 21, &err));
	imgsearch_close(old);
	assert_int_equal(count(file), 8);
	ok(add(s, 22, &err));
	imgsearch_close(s);
	assert_int_equal(count(file), 9);
}

static const change journal_changes[] = { { delete_journal, "-wal was moved or deleted" },
	{ copy_journal, "-wal was moved or deleted" } };

/* Without the journal, a new connection would not see what older ones do. Nothing is lost. */
static void the_journal_is_watched(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *says = journal_changes[i].says;
		remove_files();
		make(file, 3);
		imgsearch *s = open_index(file, false);
		ok(add(s, 9, &err));
		ok(query(s, &err));
		journal_changes[i].change();
		REFUSED(says, query(s, &err));
		REFUSED(says, add(s, 8, &err));
		REFUSED(says, imgsearch_build(s, NULL, NULL, NULL, &err));
		REFUSED(says, imgsearch_index_backup(s, copy, NULL, NULL, &err));
		imgsearch_close(s);
		assert_int_equal(count(file), 4);
		unlink(journal(""));
	}
}

/* Also where no connection for reading is open. */
static void a_writer_watches_its_journal(void **state)
{
	(void)state;
	imgsearch_transaction *t;
	float row[DIM] = { 1, 2, 3, 4 };
	remove_files();
	make(file, 3);
	imgsearch *s = open_index(file, false);
	ok(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.transaction = t;
	ok(imgsearch_vectors_add(s, row, 1, DIM, &o, NULL, NULL, &err));
	delete_journal();
	REFUSED("-wal was moved or deleted", imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
	imgsearch_close(s);
	assert_int_equal(count(file), 3);
}

/* A link that leads to nothing yet: the index is made at its end. */
static void a_link_to_a_new_file(void **state)
{
	(void)state;
	char name[160];
	remove_files();
	snprintf(name, sizeof name, "%s-lock", file);
	assert_int_equal(symlink("index.db", other), 0);
	imgsearch *s = open_index(other, false);
	imgsearch_transaction *t;
	ok(add(s, 1, &err));
	ok(imgsearch_transaction_begin(s, NULL, &t, &err));
	assert_int_equal(access(name, F_OK), 0);
	imgsearch_transaction_free(t);
	ok(query(s, &err));
	imgsearch_close(s);
	assert_int_equal(count(file), 1);
	unlink(other);
}

/* A file that comes back is the same one. */
static void a_file_that_comes_back(void **state)
{
	(void)state;
	make(file, 3);
	imgsearch *s = open_index(file, false);
	move_away();
	REFUSED("moved", query(s, &err));
	assert_int_equal(rename(aside, file), 0);
	ok(query(s, &err));
	ok(add(s, 5, &err));
	imgsearch_close(s);
	assert_int_equal(count(file), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readers_are_told),
		TEST(writers_are_told),
		TEST(transactions_are_told),
		TEST(the_new_file_is_whole),
		TEST(a_file_that_comes_back),
		TEST(the_journal_is_watched),
		TEST(a_writer_watches_its_journal),
		TEST(a_link_to_a_new_file),
	};
	return cmocka_run_group_tests_name("replaced", tests, NULL, NULL);
}
