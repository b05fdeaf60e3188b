/* A budget of memory that threads share: each reserves what its work takes, in order of arrival. */
#ifndef IMS_BASE_BUDGET_H
#define IMS_BASE_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct budget {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t limit, used;  /* bytes */
	uint64_t last, served; /* tickets: the last one that was given, and those that were served */
} budget;

void ims_budget_init(budget *b, uint64_t limit);
void ims_budget_destroy(budget *b);

/*
 * Reserves n bytes, and waits while others have them. False: n is above the limit. A thread that
 * holds a reservation does not ask for another one.
 */
bool ims_budget_reserve(budget *b, uint64_t n);
void ims_budget_release(budget *b, uint64_t n);

/*
 * A quarter of the memory that this process may use: of the machine's, or of the limit of its
 * control group (version 1 or 2) if that is smaller. At least 64 MiB.
 */
uint64_t ims_budget_default(void);

#endif
