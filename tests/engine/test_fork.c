/*
 * Forks: a handle belongs to the process that opened it. In a child its calls are errors at once,
 * and a handle of the child's own works beside the parent's.
 */
#include "process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

enum { DIM = 8, ROWS = 500, SECONDS = 20 };

/* ThreadSanitizer ends a forked child that starts a thread. */
static void starts_threads_in_a_child(void)
{
#if defined(__SANITIZE_THREAD__)
	skip();
#endif
}

typedef struct family {
	const scene *sc;
	imgsearch *s; /* of the parent */
	imgsearch_transaction *t;
} family;

static imgsearch *open_vectors(const scene *sc, imgsearch_error *err)
{
	imgsearch *s;
	imgsearch_options o = { .struct_size = sizeof o, .dim = DIM, .threads = 4 };
	return imgsearch_open(sc->db, &o, NULL, &s, err) ? NULL : s;
}

static int add_rows(imgsearch *s, size_t n, imgsearch_error *err)
{
	uint64_t seed = 5;
	float *rows = malloc(n * DIM * sizeof *rows);
	for (size_t i = 0; i < n * DIM; i++)
		rows[i] = (float)ims_random_unit(&seed);
	int rc = imgsearch_vectors_add(s, rows, n, DIM, NULL, NULL, NULL, err);
	free(rows);
	return rc;
}

static int query(imgsearch *s, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_item(5);
	int rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, err);
	imgsearch_hits_free(hits);
	return rc;
}

static int query_batch(imgsearch *s, imgsearch_error *err)
{
	imgsearch_answers *answers;
	imgsearch_input in[40];
	for (int i = 0; i < 40; i++)
		in[i] = imgsearch_input_item(i);
	int rc = imgsearch_batch_query(s, in, 40, NULL, NULL, &answers, err);
	imgsearch_answers_free(answers);
	return rc;
}

static family *have_vectors(const scene *sc)
{
	static family f;
	imgsearch_error err = { 0 };
	f = (family){ .sc = sc, .s = open_vectors(sc, &err) };
	if (!f.s || add_rows(f.s, ROWS, &err) || build(f.s, NULL, &err) || query_batch(f.s, &err))
		fail_msg("%s", err.message);
	return &f;
}

/* ----------------------------------------------------------------------- inherited handles ---- */

#define REFUSED(call) \
	do { \
		err = (imgsearch_error){ 0 }; \
		int rc_ = (call); \
		MUST(rc_ == IMGSEARCH_EINVAL && err.code == rc_); \
		MUST(strstr(err.message, "another process")); \
	} while (0)

static int ask_inherited(void *arg)
{
	family *f = arg;
	imgsearch *s = f->s;
	imgsearch_error err = { 0 };
	imgsearch_transaction *t;
	imgsearch_item *item;
	imgsearch_info *info;
	imgsearch_network *network;
	imgsearch_groups *groups;
	int64_t id = 1;
	uint8_t flag;
	REFUSED(query(s, &err));
	REFUSED(query_batch(s, &err));
	REFUSED(build(s, NULL, &err));
	REFUSED(add_rows(s, 1, &err));
	REFUSED(extract_one(s, f->sc, &err));
	REFUSED(update(s, f->sc, NULL, &err));
	REFUSED(train(s, f->sc, 1, NULL, &err));
	REFUSED(imgsearch_transaction_begin(s, NULL, &t, &err));
	REFUSED(imgsearch_item_get(s, 1, &item, &err));
	REFUSED(imgsearch_item_find(s, "a", &id, &err));
	REFUSED(imgsearch_item_exists(s, &id, 1, &flag, &err));
	REFUSED(imgsearch_info_get(s, NULL, &info, &err));
	REFUSED(imgsearch_network_get(s, &network, &err));
	REFUSED(imgsearch_groups_find(s, NULL, NULL, &groups, &err));
	REFUSED(imgsearch_groups_reject(s, 1, 2, &err));
	REFUSED(imgsearch_index_backup(s, "/nowhere", NULL, NULL, &err));
	if (f->t)
		REFUSED(imgsearch_transaction_commit(f->t, NULL, &err));
	imgsearch_cancel(s);
	return 0;
}

static int close_inherited(void *arg)
{
	family *f = arg;
	imgsearch_transaction_free(f->t);
	imgsearch_close(f->s);
	return 0;
}

/* Names, sizes and times of the index and of what lies beside it. */
static void look_at_files(const scene *sc, char *text, size_t size)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lock" };
	size_t n = 0;
	for (int i = 0; i < 4; i++) {
		struct stat info = { 0 };
		char path[200];
		snprintf(path, sizeof path, "%s%s", sc->db, ends[i]);
		stat(path, &info);
		n += (size_t)snprintf(text + n, size - n, "%s %llu %lld %lld.%ld\n", ends[i],
			(unsigned long long)info.st_ino, (long long)info.st_size,
			(long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
	}
}

static void an_inherited_handle_is_refused(void **state)
{
	char before[500], after[500];
	imgsearch_error err = { 0 };
	family *f = have_vectors(*state);
	look_at_files(*state, before, sizeof before);
	assert_int_equal(in_child(ask_inherited, f, SECONDS), 0);
	assert_int_equal(in_child(close_inherited, f, SECONDS), 0);
	look_at_files(*state, after, sizeof after);
	assert_string_equal(before, after);
	assert_int_equal(query_batch(f->s, &err), 0);
	assert_int_equal(add_rows(f->s, 10, &err), 0);
	assert_int_equal(build(f->s, NULL, &err), 0);
	imgsearch_close(f->s);
}

static void an_inherited_transaction_is_refused(void **state)
{
	char before[500], after[500];
	imgsearch_error err = { 0 };
	family *f = have_vectors(*state);
	assert_int_equal(imgsearch_transaction_begin(f->s, NULL, &f->t, &err), 0);
	look_at_files(*state, before, sizeof before);
	assert_int_equal(in_child(ask_inherited, f, SECONDS), 0);
	assert_int_equal(in_child(close_inherited, f, SECONDS), 0);
	look_at_files(*state, after, sizeof after);
	assert_string_equal(before, after);
	assert_int_equal(imgsearch_transaction_commit(f->t, NULL, &err), 0);
	imgsearch_transaction_free(f->t);
	imgsearch_close(f->s);
}

/* ------------------------------------------------------------------ handles of the child's ---- */

static int work_in_own(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	imgsearch *s = open_vectors(f->sc, &err);
	MUST(s);
	MUST(!query(s, &err));
	MUST(!query_batch(s, &err));
	MUST(!add_rows(s, 3, &err));
	MUST(!build(s, NULL, &err));
	imgsearch_close(s);
	return 0;
}

static void a_child_opens_its_own(void **state)
{
	starts_threads_in_a_child();
	imgsearch_error err = { 0 };
	family *f = have_vectors(*state);
	imgsearch_info *info;
	assert_int_equal(in_child(work_in_own, f, SECONDS), 0);
	assert_int_equal(imgsearch_info_get(f->s, NULL, &info, &err), 0);
	assert_int_equal(info->vectors, ROWS + 3);
	imgsearch_info_free(info);
	imgsearch_close(f->s);
}

/*
 * The parent closes its handle while the child has one. SQLite would remove the journal under the
 * child if that believed the locks of the parent to be its own.
 */
static int outlive_the_parent(const family *f, int from_parent, int to_parent)
{
	char wal[200], c;
	imgsearch_error err = { 0 };
	imgsearch *s = open_vectors(f->sc, &err);
	MUST(s && !query(s, &err) && !add_rows(s, 1, &err));
	MUST(write(to_parent, "x", 1) == 1 && read(from_parent, &c, 1) == 1);
	snprintf(wal, sizeof wal, "%s-wal", f->sc->db);
	MUST(access(wal, F_OK) == 0);
	MUST(!add_rows(s, 1, &err));
	MUST(write(to_parent, "x", 1) == 1 && read(from_parent, &c, 1) == 1);
	imgsearch_close(s);
	return 0;
}

static void a_child_has_locks_of_its_own(void **state)
{
	starts_threads_in_a_child();
	char c;
	int down[2], up[2];
	imgsearch_error err = { 0 };
	imgsearch_info *info;
	family *f = have_vectors(*state);
	assert_int_equal(pipe(down) + pipe(up), 0);
	settle();
	pid_t child = fork();
	if (!child)
		_exit(outlive_the_parent(f, down[0], up[1]));
	close(up[1]);
	assert_int_equal(read(up[0], &c, 1), 1);
	imgsearch_close(f->s);
	assert_int_equal(write(down[1], "x", 1), 1);
	assert_int_equal(read(up[0], &c, 1), 1);
	f->s = open_vectors(f->sc, &err);
	assert_int_equal(imgsearch_info_get(f->s, NULL, &info, &err), 0);
	assert_int_equal(info->vectors, ROWS + 2);
	imgsearch_info_free(info);
	assert_int_equal(write(down[1], "x", 1), 1);
	assert_int_equal(wait_for(child, SECONDS), 0);
	imgsearch_close(f->s);
	close(down[0]), close(down[1]), close(up[0]);
}

static void *keep_querying(void *arg)
{
	family *f = arg;
	imgsearch_error err;
	for (int i = 0; i < 2000 && f->s; i++) {
		imgsearch *s = i % 50 ? NULL : open_vectors(f->sc, &err);
		query_batch(f->s, &err);
		imgsearch_close(s);
	}
	return NULL;
}

/* AddressSanitizer's own allocator holds a lock at such a fork, and the child waits for it. */
#if defined(__SANITIZE_ADDRESS__)
static void forks_while_other_threads_work(void **state)
{
	(void)state;
	(void)keep_querying;
	skip();
}
#else
static void forks_while_other_threads_work(void **state)
{
	starts_threads_in_a_child();
	pthread_t thread[2];
	family *f = have_vectors(*state);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, keep_querying, f);
	for (int i = 0; i < 10; i++)
		assert_int_equal(in_child(work_in_own, f, 2 * SECONDS), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	imgsearch_close(f->s);
}
#endif

/* -------------------------------------------------------------------------------- the lock ---- */

static pid_t sleeper;

static int fork_sleeper(void *user, const imgsearch_progress *p)
{
	(void)user, (void)p;
	if (sleeper)
		return 0;
	sleeper = fork();
	if (!sleeper) {
		usleep(SECONDS * 1000000);
		_exit(0);
	}
	kill(getpid(), SIGKILL);
	return 0;
}

static int die_as_writer(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	imgsearch_call call = { .struct_size = sizeof call, .progress = fork_sleeper };
	imgsearch *s = open_vectors(f->sc, &err);
	MUST(s);
	build(s, &call, &err);
	return 1;
}

static void the_lock_ends_with_the_writer(void **state)
{
	starts_threads_in_a_child();
	imgsearch_error err = { 0 };
	family *f = have_vectors(*state);
	assert_int_equal(in_child(die_as_writer, f, SECONDS), -SIGKILL);
	int rc = add_rows(f->s, 1, &err); /* the sleeper may just be giving it up */
	for (double end = ims_now() + SECONDS / 2; rc == IMGSEARCH_EBUSY && ims_now() < end;) {
		usleep(10000);
		rc = add_rows(f->s, 1, &err);
	}
	assert_int_equal(rc, 0);
	imgsearch_close(f->s);
}

static int must_be_busy(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	imgsearch *s = open_vectors(f->sc, &err);
	MUST(s);
	MUST(add_rows(s, 1, &err) == IMGSEARCH_EBUSY);
	imgsearch_close(s);
	return 0;
}

static void a_fork_does_not_release_the_lock(void **state)
{
	starts_threads_in_a_child();
	imgsearch_error err = { 0 };
	family *f = have_vectors(*state);
	imgsearch *other = open_vectors(f->sc, &err);
	assert_int_equal(imgsearch_transaction_begin(f->s, NULL, &f->t, &err), 0);
	assert_int_equal(in_child(must_be_busy, f, SECONDS), 0);
	assert_int_equal(add_rows(other, 1, &err), IMGSEARCH_EBUSY);
	imgsearch_transaction_free(f->t);
	assert_int_equal(add_rows(other, 1, &err), 0);
	imgsearch_close(other);
	imgsearch_close(f->s);
}

/* ----------------------------------------------------------------------------- the network ---- */

static int network_in_own(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	imgsearch *s;
	MUST(!imgsearch_open(f->sc->db, NULL, NULL, &s, &err));
	MUST(!extract_one(s, f->sc, &err));
	MUST(!update(s, f->sc, NULL, &err));
	if (train(s, f->sc, 1, NULL, &err) != IMGSEARCH_EMODEL)
		MUST(!"training is refused");
	imgsearch_close(s);
	return 0;
}

/* Inherits a handle whose network is loaded; in a child, since libtorch stays in a process. */
static int fork_with_network(const scene *sc)
{
	family f = { .sc = sc };
	imgsearch_error err = { 0 };
	MUST(!imgsearch_open(sc->db, NULL, NULL, &f.s, &err));
	MUST(!extract_one(f.s, sc, &err));
	MUST(in_child(ask_inherited, &f, SECONDS) == 0);
	MUST(in_child(close_inherited, &f, SECONDS) == 0);
	MUST(in_child(network_in_own, &f, 4 * SECONDS) == 0);
	MUST(!extract_one(f.s, sc, &err));
	imgsearch_close(f.s);
	return 0;
}

static int fake(void *sc)
{
	return fork_with_network(sc);
}

static int real(void *sc)
{
	return use_real_shim() ? fork_with_network(sc) : 77;
}

static void a_child_has_a_network(void **state)
{
	starts_threads_in_a_child();
	draw_photos(*state);
	assert_int_equal(in_child(fake, *state, 10 * SECONDS), 0);
}

static void a_child_has_libtorch(void **state)
{
	starts_threads_in_a_child();
	draw_photos(*state);
	int rc = in_child(real, *state, 10 * SECONDS);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

/* Another thread of the parent is inside the network, until the parent lets it go. */
static int inside[2], go_on[2];

static void stay_inside(size_t n)
{
	char c = (char)n;
	if (write(inside[1], &c, 1) != 1 || read(go_on[0], &c, 1) != 1)
		abort();
}

static void *extract_slowly(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	return extract_one(f->s, f->sc, &err) ? f : NULL;
}

/* No network can be had; vectors can. */
static int no_network_in_own(void *arg)
{
	family *f = arg;
	imgsearch_error err = { 0 };
	imgsearch *s;
	MUST(!imgsearch_open(f->sc->db, NULL, NULL, &s, &err));
	MUST(extract_one(s, f->sc, &err) == IMGSEARCH_EMODEL);
	MUST(strstr(err.message, "forked"));
	MUST(update(s, f->sc, NULL, &err) == IMGSEARCH_EMODEL);
	imgsearch_input in = imgsearch_input_item(1);
	imgsearch_hits *hits;
	MUST(!imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err));
	imgsearch_hits_free(hits);
	imgsearch_close(s);
	return 0;
}

static int fork_beside_a_call(void *sc)
{
	family f = { .sc = sc };
	imgsearch_error err = { 0 };
	pthread_t thread;
	void *failed;
	char c;
	MUST(!imgsearch_open(f.sc->db, NULL, NULL, &f.s, &err));
	MUST(!update(f.s, sc, NULL, &err));
	MUST(pipe(inside) == 0 && pipe(go_on) == 0);
	scene_on_run(stay_inside);
	MUST(!pthread_create(&thread, NULL, extract_slowly, &f));
	MUST(read(inside[0], &c, 1) == 1);
	photo(sc, "new.png", 4711); /* so that the update of the child needs the network */
	MUST(in_child(no_network_in_own, &f, SECONDS) == 0);
	scene_on_run(NULL);
	MUST(write(go_on[1], "x", 1) == 1);
	MUST(!pthread_join(thread, &failed) && !failed);
	MUST(!extract_one(f.s, sc, &err)); /* the parent noticed nothing */
	imgsearch_close(f.s);
	return 0;
}

static void a_child_of_a_call_has_no_network(void **state)
{
	starts_threads_in_a_child();
	draw_photos(*state);
	assert_int_equal(in_child(fork_beside_a_call, *state, 4 * SECONDS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_inherited_handle_is_refused),
		TEST(an_inherited_transaction_is_refused),
		TEST(a_child_opens_its_own),
		TEST(a_child_has_locks_of_its_own),
		TEST(forks_while_other_threads_work),
		TEST(the_lock_ends_with_the_writer),
		TEST(a_fork_does_not_release_the_lock),
		TEST(a_child_has_a_network),
		TEST(a_child_has_libtorch),
		TEST(a_child_of_a_call_has_no_network),
	};
	return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
