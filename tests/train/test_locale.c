/*
 * A training that was stopped goes on in a program of another locale, and its log has decimal
 * points. Skipped without the real network, or where no German locale can be made.
 */
#include "german.h"
#include "imgsearch/train.h"
#include "scene.h"

static int stop_at_three(void *user, const imgsearch_progress *p)
{
	(void)user;
	return !strcmp(p->stage, "train") && p->done >= 3;
}

static void no_comma(void *user, int level, const char *text)
{
	(void)level;
	*(unsigned *)user += 1;
	assert_null(strstr(text, "loss 0,"));
	assert_null(strstr(text, "loss 1,"));
	assert_null(strstr(text, "accuracy 0,"));
}

static void a_checkpoint_of_the_other(void **state)
{
	scene *sc = *state;
	char lib[500], out[200], folder[200];
	unsigned lines = 0;
	imgsearch *s;
	imgsearch_error err = { 0 };
	snprintf(lib, sizeof lib, "%s/../..", getenv("IMGSEARCH_LIBDIR"));
	char shim[600];
	snprintf(shim, sizeof shim, "%s/imgsearch-shim.so", lib);
	if (access(shim, R_OK)) {
		print_message("# the shim is not built (libtorch is missing)\n");
		skip();
	}
	setenv("IMGSEARCH_LIBDIR", lib, 1);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(folder, sizeof folder, "%s/%u", sc->photos, i % 2);
		mkdir(folder, 0777);
		char name[40];
		snprintf(name, sizeof name, "%u/%u.png", i % 2, i);
		photo(sc, name, i);
	}
	snprintf(out, sizeof out, "%s/out.safetensors", sc->dir);
	imgsearch_train_options o = IMGSEARCH_INIT(imgsearch_train_options);
	o.out = out;
	o.batch = 2;
	o.steps = 6;
	o.layers = 1;
	o.rate = 1.25e-5f;
	o.validation = 0.25f;
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	call.progress = stop_at_three;
	works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
	assert_int_equal(imgsearch_train(s, sc->photos, &o, &call, NULL, &err), IMGSEARCH_ECANCELED);
	if (!speak_german(sc->dir)) {
		print_message("# no de_DE.UTF-8, and localedef cannot make it\n");
		skip();
	}
	o.resume = 1;
	call.progress = NULL;
	call.log = no_comma;
	call.user = &lines;
	works(imgsearch_train(s, sc->photos, &o, &call, NULL, &err));
	o.resume = 0;
	o.restart = 1; /* a whole run: the one that went on may have had nothing left to log */
	lines = 0;
	works(imgsearch_train(s, sc->photos, &o, &call, NULL, &err));
	assert_true(lines > 0);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_checkpoint_of_the_other, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
