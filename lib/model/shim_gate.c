/*
 * Every call of the shim passes here.
 *
 * The end of the program. exit runs the destructors of libtorch, under which a thread that is
 * inside crashes. A handler of exit therefore refuses new calls and waits for those inside. exit
 * runs handlers in the reverse order of their registration, and libtorch registers destructors when
 * it is loaded and when it first needs something: the handler is registered again after the first
 * calls, and then more and more rarely. The first calls register destructors themselves, which
 * would run before the handler: the end of a thread that has called the library waits for these
 * calls before any handler runs (base/ending.h). For other threads the handler is registered every
 * millisecond while one of the first calls is inside (keep_handler). Destructors that libtorch
 * registered since then run before the handler, and the call that is inside may crash: the handler
 * holds a thread that does (hold); one that crashes before the handler runs ends the process. A
 * call that crashed, or that is still inside after WAIT_MS, does not end: then the handler writes
 * out the streams and ends the process with its status. A second thread that calls exit meanwhile
 * is held.
 *
 * Forks. A child has no copy of the threads of its parent. libtorch starts new ones where no thread
 * was inside. OpenMP remembers the team of the thread that forked and waits for it forever, so
 * that thread may only make calls that need none.
 */
#include "model/shim_gate.h"

#include "base/base.h"
#include "base/clock.h"
#include "base/ending.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 1500, FIRST = 8 /* calls: loading, the network, batches */ };

static atomic_uint inside;         /* calls in this process */
static _Thread_local unsigned own; /* those of this thread */
static atomic_uint calls;
static atomic_bool ending, forked, broken;
static atomic_bool crashed;           /* a call that the end of the program waits for */
static _Thread_local double given_up; /* when the end waits no longer; 0: it has not begun to */
static const shim_table *shim;        /* the real one */

/* ------------------------------------------------------------------------------------- end ---- */

/* False: the time is up, or nothing is left to wait for. */
static bool wait_more(void)
{
	double now = ims_now();
	if (given_up == 0)
		given_up = now + WAIT_MS / 1000.;
	if (now > given_up || atomic_load(&crashed))
		return false;
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	return true;
}

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
enum { CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction actions[CRASHES]; /* of the program */

static void restore_actions(void)
{
	for (int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &actions[i], NULL);
}

/* A thread that is inside stays here. For any other one the program's own action is taken. */
static void hold(int signal)
{
	if (!own) {
		restore_actions();
		raise(signal);
		return;
	}
	atomic_store(&crashed, true);
	for (;;)
		pause();
}

static void hold_crashing_threads(void)
{
	struct sigaction action = { .sa_handler = hold };
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &actions[i]);
}

static void wait_for_calls(int status, void *user)
{
	(void)user;
	ims_ending_claim();
	atomic_store(&ending, true);
	bool holding = atomic_load(&calls) < FIRST && atomic_load(&inside) > own;
	if (holding)
		hold_crashing_threads();
	while (atomic_load(&inside) > own && wait_more())
		;
	if (atomic_load(&inside) > own) {
		fflush(NULL);
		_exit(status);
	}
	if (holding)
		restore_actions();
}

static void register_handler(void)
{
	on_exit(wait_for_calls, NULL);
}

/*
 * Called before any handler of exit, and when an ordinary thread ends. Each of the first calls may
 * register destructors. Where one is still inside when the time is up, the handler is registered
 * again, so that it is the newest.
 */
static void wait_for_first_calls(void)
{
	while (atomic_load(&calls) < FIRST && atomic_load(&inside) > own && wait_more())
		;
	if (atomic_load(&calls) < FIRST && atomic_load(&inside) > own)
		register_handler();
}

/* Keeps the handler the newest until the call that *arg belongs to is over. */
static void *keep_handler(void *arg)
{
	const atomic_bool *over = arg;
	while (!atomic_load(over)) {
		register_handler();
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	return NULL;
}

/* The handler outlives a dlclose of the library, or of the plug-in that contains it. */
static void stay_loaded(void)
{
	Dl_info info;
	if (dladdr((void *)(uintptr_t)&inside, &info) && info.dli_fname)
		dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* ----------------------------------------------------------------------------------- forks ---- */

static void in_child(void)
{
	atomic_store(&forked, shim != NULL);
	atomic_store(&broken, broken || inside > 0);
	atomic_store(&inside, 0);
	given_up = 0;
	own = 0;
	ims_ending_forget();
}

static void set_up(void)
{
	stay_loaded();
	ims_ending_set_wait(wait_for_first_calls);
	pthread_atfork(NULL, NULL, in_child);
}

/* ------------------------------------------------------------------------------------ gate ---- */

static int refuse(shim_message *msg, int code, const char *text)
{
	snprintf(msg->text, sizeof msg->text, "%s", text);
	return code;
}

int ims_shim_enter(shim_visit *v, shim_message *msg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_up);
	if (atomic_load(&broken))
		return refuse(msg, IMGSEARCH_EMODEL, "a network was at work when this process was forked");
	atomic_fetch_add(&inside, 1);
	if (atomic_load(&ending)) {
		atomic_fetch_sub(&inside, 1);
		return refuse(msg, IMGSEARCH_ECANCELED, "the program is ending");
	}
	own++;
	ims_ending_watch();
	ims_signals_block(&v->mask);
	atomic_init(&v->over, false);
	v->is_kept = atomic_load(&calls) < FIRST
		&& !pthread_create(&v->keeper, NULL, keep_handler, &v->over);
	return 0;
}

void ims_shim_leave(shim_visit *v)
{
	atomic_store(&v->over, true);
	if (v->is_kept)
		pthread_join(v->keeper, NULL);
	unsigned n = atomic_fetch_add(&calls, 1) + 1;
	if (!(n & (n - 1)))
		register_handler();
	own--;
	atomic_fetch_sub(&inside, 1);
	ims_signals_restore(&v->mask);
}

/* libtorch fails without a word now and then. */
static int explain(int rc, shim_message *msg)
{
	if (rc && !msg->text[0])
		snprintf(msg->text, sizeof msg->text, "libtorch does not say why");
	return rc;
}

/* Returns what the call of the real shim returns, or why it was refused. */
#define PASS(msg, call) \
	do { \
		shim_visit v; \
		int rc = ims_shim_enter(&v, msg); \
		if (rc) \
			return rc; \
		*(msg)->text = 0; \
		rc = (call); \
		ims_shim_leave(&v); \
		return explain(rc, msg); \
	} while (0)

static void *_Atomic kept; /* so that a tool that looks for leaks finds it */

/* What cannot be freed any more stays. */
#define PASS_FREE(object, call) \
	do { \
		shim_visit v; \
		shim_message msg; \
		if (ims_shim_enter(&v, &msg)) { \
			atomic_store(&kept, object); \
			return; \
		} \
		call; \
		ims_shim_leave(&v); \
	} while (0)

static int net_new(shim_net **out, const shim_config *c, const shim_tensor *tensors, size_t n,
	const char *script, shim_message *msg)
{
	PASS(msg, shim->net_new(out, c, tensors, n, script, msg));
}

static void net_free(shim_net *net)
{
	PASS_FREE(net, shim->net_free(net));
}

static int net_find(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
	const char *script, uint8_t *fits, shim_message *msg)
{
	PASS(msg, shim->net_find(names, n_names, tensors, n, script, fits, msg));
}

static int net_run(shim_net *net, const float *in, size_t n, uint32_t threads, float *out,
	shim_message *msg)
{
	PASS(msg, shim->net_run(net, in, n, threads && atomic_load(&forked) ? 1 : threads, out, msg));
}

static int net_run_words(shim_net *net, const int32_t *tokens, const uint32_t *used, size_t n,
	float *out, shim_message *msg)
{
	PASS(msg, shim->net_run_words(net, tokens, used, n, out, msg));
}

/* -------------------------------------------------------------------------------- training ---- */

static int create(shim_train **out, const shim_train_config *c, const shim_tensor *tensors,
	size_t n, shim_message *msg)
{
	if (atomic_load(&forked))
		return refuse(msg, IMGSEARCH_EMODEL,
			"this process was forked from one that had a network, and cannot train");
	PASS(msg, shim->training->create(out, c, tensors, n, msg));
}

static void train_free(shim_train *t)
{
	PASS_FREE(t, shim->training->free(t));
}

static int step(shim_train *t, const shim_batch *b, float rate, shim_score *score,
	shim_message *msg)
{
	PASS(msg, shim->training->step(t, b, rate, score, msg));
}

static int score(shim_train *t, const shim_batch *b, shim_score *score, shim_message *msg)
{
	PASS(msg, shim->training->score(t, b, score, msg));
}

static int features(shim_train *t, const float *in, size_t n, uint32_t project, float *out,
	shim_message *msg)
{
	PASS(msg, shim->training->features(t, in, n, project, out, msg));
}

static int project(shim_train *t, const float *weight, const float *bias, shim_message *msg)
{
	PASS(msg, shim->training->project(t, weight, bias, msg));
}

static int blend(shim_train *t, float share, shim_message *msg)
{
	PASS(msg, shim->training->blend(t, share, msg));
}

static int each(shim_train *t, uint32_t part, int (*each)(void *user, const shim_tensor *t),
	void *user, shim_message *msg)
{
	PASS(msg, shim->training->each(t, part, each, user, msg));
}

static int restore(shim_train *t, const shim_tensor *tensors, size_t n, shim_message *msg)
{
	PASS(msg, shim->training->restore(t, tensors, n, msg));
}

static int fit(const float *teacher, size_t teacher_dim, const float *student, size_t width,
	size_t n, size_t n_fit, size_t n_student, size_t dim, float whiten, float *targets,
	float *weight, float *bias, shim_message *msg)
{
	PASS(msg,
		shim->training->fit(teacher, teacher_dim, student, width, n, n_fit, n_student, dim, whiten,
			targets, weight, bias, msg));
}

const shim_table *ims_shim_guard(const shim_table *real)
{
	static shim_table table;
	static shim_training training;
	shim = real;
	table = *real;
	table.net_new = net_new;
	table.net_free = net_free;
	table.net_find = net_find;
	table.net_run = net_run;
	table.net_run_words = net_run_words;
	if (!real->training)
		return &table;
	training = (shim_training){
		.create = create,
		.free = train_free,
		.width = real->training->width,
		.step = step,
		.score = score,
		.features = features,
		.project = project,
		.blend = blend,
		.each = each,
		.restore = restore,
		.fit = fit,
	};
	table.training = &training;
	return &table;
}
