/*
 * Makes the end of the program wait for a thread that loads a library. exit first runs the
 * destructors of its thread's variables, and then handlers, the newest first. While a library is
 * loaded and initialised, the newest handlers are those of that library, and they must not run
 * while another thread is still inside it. So a watched thread that calls exit waits in a
 * destructor of its own, before any handler. Other threads have no such place to wait.
 */
#ifndef IMS_BASE_ENDING_H
#define IMS_BASE_ENDING_H

#include <stdbool.h>

/* The end of this thread waits for ims_ending_set_wait. Cheap when it is called again. */
void ims_ending_watch(void);
void ims_ending_watch_main(void); /* where this is the main thread, whose end is that of all */

/* What the end of a watched thread calls first. */
void ims_ending_set_wait(void (*wait)(void));

/*
 * exit is not thread-safe before glibc 2.41, and a call that the end of the program stops may well
 * make its thread call exit as well. So the thread that ends the program claims that. Another one
 * that claims it never returns, nor does the end of a watched main thread: main returned.
 */
void ims_ending_claim(void);
void ims_ending_forget(void); /* in a forked child */

#endif
