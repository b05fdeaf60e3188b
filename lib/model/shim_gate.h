/* The gate to the shim: signals, the end of the program and forks. */
#ifndef IMS_MODEL_SHIM_GATE_H
#define IMS_MODEL_SHIM_GATE_H

#include "base/base.h"
#include "shim/shim.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct shim_visit {
	sigset_t mask;
	bool is_kept;     /* a thread keeps the handler of exit the newest one */
	pthread_t keeper; /* that thread */
	atomic_bool over; /* what ends it */
} shim_visit;

/*
 * Enclose whatever runs code of the shim. Threads that libtorch creates meanwhile take no signals.
 * Refused, with a sentence in msg: ECANCELED once the program ends, and EMODEL in a process that
 * was forked while another thread was inside. Leave only what was entered.
 */
int ims_shim_enter(shim_visit *v, shim_message *msg);
void ims_shim_leave(shim_visit *v);

/* The same table, whose functions pass the gate. Once a process. */
const shim_table *ims_shim_guard(const shim_table *real);

#endif
