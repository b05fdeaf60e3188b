/*
 * Loads the shim, the one place where libtorch enters a process. RTLD_LOCAL hides its C++ symbols
 * from the program. The shim is never closed, since libtorch's threads outlive any network.
 */
#include "model/shim_load.h"

#include "base/base.h"
#include "model/catalog.h"
#include "model/shim_gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHIM_FILE "imgsearch-shim.so"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const shim_table *loaded;

/* EMODEL, detail ELIBACC. */
static int no_shim(imgsearch_error *err)
{
	if (err)
		err->detail = ELIBACC;
	return IMGSEARCH_EMODEL;
}

/* *path is freed by ims_free. */
static int find(char **path, imgsearch_error *err)
{
	char places[400];
	int rc = ims_model_find_file(path, SHIM_FILE, err);
	if (rc != IMGSEARCH_ENOTFOUND)
		return rc;
	ims_model_places(places, sizeof places, false);
	ims_fail(err, IMGSEARCH_EMODEL, "no network can run: no " SHIM_FILE " in %s", places);
	return no_shim(err);
}

typedef struct open_job {
	const char *path;
	void *so;
	char why[400];
} open_job;

static void open_shim(void *arg)
{
	open_job *o = arg;
	o->so = dlopen(o->path, RTLD_NOW | RTLD_LOCAL);
	if (!o->so)
		snprintf(o->why, sizeof o->why, "%s", dlerror());
}

/* On another thread: constructors may change settings of theirs. */
static int open_on_thread(open_job *o, imgsearch_error *err)
{
	pool *p;
	int rc = ims_pool_new(&p, 1, 1, err);
	if (rc)
		return rc;
	ims_pool_run(p, open_shim, o);
	ims_pool_wait(p);
	ims_pool_free(p);
	return 0;
}

static int load(imgsearch_error *err)
{
	char *path;
	shim_visit visit;
	shim_message msg;
	int rc = find(&path, err);
	if (rc)
		return rc;
	rc = ims_shim_enter(&visit, &msg);
	if (rc) {
		ims_free(path);
		return ims_fail(err, rc, "no network can run: %s", msg.text);
	}
	open_job o = { .path = path };
	ims_shim_entry *entry = NULL;
	rc = open_on_thread(&o, err);
	if (o.so)
		*(void **)&entry = dlsym(o.so, "ims_shim");
	const shim_table *table = entry ? entry(IMS_SHIM_ABI) : NULL;
	if (!rc && !o.so)
		rc = ims_fail(err, IMGSEARCH_EMODEL, "no network can run: %s", o.why);
	else if (rc)
		;
	else if (!table || table->abi != IMS_SHIM_ABI || table->size < sizeof *table)
		rc = ims_fail(err, IMGSEARCH_EMODEL, "%s belongs to another version of the library", path);
	else
		loaded = ims_shim_guard(table);
	if (rc == IMGSEARCH_EMODEL)
		rc = no_shim(err);
	ims_shim_leave(&visit);
	ims_free(path);
	return rc;
}

/* The thread that held the lock is not in the child. */
static void in_child(void)
{
	pthread_mutex_init(&lock, NULL);
}

static void set_up(void)
{
	pthread_atfork(NULL, NULL, in_child);
}

static void acquire(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_up);
	pthread_mutex_lock(&lock);
}

int ims_shim_find(imgsearch_error *err)
{
	char *path = NULL;
	acquire();
	int rc = loaded ? 0 : find(&path, err);
	pthread_mutex_unlock(&lock);
	ims_free(path);
	return rc;
}

int ims_shim_load(const shim_table **out, imgsearch_error *err)
{
	acquire();
	int rc = loaded ? 0 : load(err);
	*out = loaded;
	pthread_mutex_unlock(&lock);
	return rc;
}
