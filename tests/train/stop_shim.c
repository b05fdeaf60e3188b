/*
 * The real shim with a stop in the training: the process raises a signal at the beginning of one
 * step, so that a test knows where the run was. Environment: STOP_SHIM is the path of the real
 * shim, STOP_STEP the number of the step in this process, from 1, and STOP_SIGNAL the signal.
 */
#define IMS_SHIM_IMPLEMENTATION
#include "shim/shim.h"

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>
#include <stdlib.h>

static const shim_training *real;

static long number(const char *name)
{
	const char *text = getenv(name);
	return text ? atol(text) : 0;
}

static int step(shim_train *t, const shim_batch *b, float rate, shim_score *score,
	shim_message *msg)
{
	static long done;
	if (++done == number("STOP_STEP"))
		kill(getpid(), (int)number("STOP_SIGNAL"));
	return real->step(t, b, rate, score, msg);
}

const shim_table *ims_shim(uint32_t abi)
{
	static shim_training training;
	static shim_table table;
	const char *path = getenv("STOP_SHIM");
	void *so = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	ims_shim_entry *entry = NULL;
	if (so)
		*(void **)&entry = dlsym(so, "ims_shim");
	const shim_table *whole = entry ? entry(abi) : NULL;
	if (!whole || !whole->training)
		return NULL;
	real = whole->training;
	training = *real;
	training.step = step;
	table = *whole;
	table.training = &training;
	return &table;
}
