/*
 * An open index: a store, the view that queries read, the network, which is loaded when the first
 * picture needs it, and its text tower, which is loaded when the first text needs it.
 *
 * Locks are acquired in this order: writer lock, a store_hold or a transaction, network_lock or
 * words_lock, lock of a view, view_lock. Readers hold a reference to a view and never wait for a
 * writer, but for a transaction of ":memory:". No callback of the caller runs under one of these
 * locks, but within a read of the store.
 */
#ifndef IMS_HANDLE_H
#define IMS_HANDLE_H

#include "base/base.h"
#include "codec/helper.h"
#include "image/colour.h"
#include "image/image.h"
#include "model/model.h"
#include "store/store.h"
#include "words/tower.h"

#include <semaphore.h>
#include <sys/types.h>

typedef struct view view;

/* The transaction of the caller's that is open. Its writer lock protects the last two members. */
typedef struct handle_transaction {
	_Atomic(const void *) thread; /* that began it; NULL: none is open */
	void *transaction;
	void (*detach)(void *transaction); /* the handle closes: it must not be used any more */
} handle_transaction;

struct imgsearch {
	store *store;
	/*
	 * Of the handle of a second model (second.h): the handle of the index, whose pool, helpers,
	 * colours and right to write it shares. NULL: it is that one.
	 */
	imgsearch *first;
	pthread_mutex_t second_lock; /* protects the next member */
	imgsearch *second;           /* owned; NULL: not needed yet */
	pid_t owner;                 /* the process that opened it */
	imgsearch_options options;   /* its strings are owned; recipe is the next member */
	imgsearch_recipe recipe;
	pool *pool;
	unsigned threads;
	cancel_source cancel; /* raised by imgsearch_cancel */
	atomic_int writing;   /* 1: a thread of this process holds the writer lock */
	job *writer;          /* of that thread, which has said it, or NULL */
	handle_transaction transaction;

	pthread_mutex_t view_lock; /* protects the pointer; held briefly */
	view *view;

	pthread_mutex_t network_lock;  /* protects the next three members */
	model *network;                /* NULL: not loaded yet; its users hold references */
	imgsearch_error network_error; /* why that of network_identity could not be loaded; or code 0 */
	model_identity network_identity;

	pthread_mutex_t words_lock; /* protects the next two members */
	tower *words;               /* NULL: not loaded yet; its users hold references */
	model_identity words_identity;

	sem_t decoders; /* bounds how many single pictures are decoded at once */
	budget memory;  /* of all that are decoded */
	colour_cache *colours;
	uint32_t also;    /* image_limits.also */
	helpers *helpers; /* that decode what needs an optional library; NULL: this process does */
};

/*
 * Opens or creates the index; options are checked by the caller. ims_handle_close frees *out.
 * Errors: see imgsearch_open.
 */
int ims_handle_open(imgsearch **out, const char *path, const imgsearch_options *options,
	imgsearch_error *err);
void ims_handle_close(imgsearch *s);
/* The handle of the second model of an index that has one: for second.h. */
int ims_handle_open_second(imgsearch **out, imgsearch *first, imgsearch_error *err);

/* Whether this process opened the handle; false in a child that inherited it. Any thread. */
bool ims_handle_is_own(const imgsearch *s);

/*
 * The job of a call that begins now: threads, events, and a token that sees later cancels only. Any
 * thread.
 */
job ims_handle_job(imgsearch *s, const imgsearch_call *call);

/*
 * Acquires the writer lock, in this process and in all others; every change lies between begin and
 * end. EBUSY if another writer has it, or a transaction of the handle, for as long as the options
 * say, at once where that is one of this thread; ECANCELED, EDEADLINE of j meanwhile; EINVAL: the
 * handle is open for reading only; EIO: the index cannot be written. An index of an older version
 * is upgraded, which the log of j tells, and write_end what was repaired. j may be NULL, else it
 * lives until write_end.
 */
int ims_handle_write_begin(imgsearch *s, job *j, imgsearch_error *err);

void ims_handle_tell_upgrade(imgsearch *s, store_upgrade upgrade, job *j); /* in the log of j */
void ims_handle_tell_repair(imgsearch *s, job *j);                         /* the same */
void ims_handle_write_end(imgsearch *s);

/*
 * A transaction of the caller's begins on this thread, which holds the writer lock; or it ends. One
 * that is open when the handle closes is detached. ims_handle_transaction_is_mine: whether this
 * thread began the one that is open.
 */
void ims_handle_transaction_set(imgsearch *s, void *transaction, void (*detach)(void *transaction));
void ims_handle_transaction_clear(imgsearch *s);
bool ims_handle_transaction_is_mine(const imgsearch *s);

/* Ends a transaction of the store: commits if rc is 0, otherwise rolls back and returns rc. */
int ims_handle_tx_end(imgsearch *s, int rc, imgsearch_error *err);

/*
 * The network of that identity, which is loaded if necessary. The caller releases *out by
 * ims_model_free. EMODEL, EFORMAT, EIO, ENOMEM. Any thread.
 */
int ims_handle_network(imgsearch *s, const model_identity *id, model **out, imgsearch_error *err);
/* Whether the network of that identity is loaded; and why the last try to load it failed, or "". */
bool ims_handle_network_loaded(imgsearch *s, const model_identity *id);
void ims_handle_network_why_not(imgsearch *s, const model_identity *id, imgsearch_error *why);

/*
 * The limits of decoding: those of the options, and reduced decoding for the recipe (NULL: none),
 * not below what a signature needs. Any thread.
 */
image_limits ims_handle_limits(imgsearch *s, const image_recipe *recipe);

/* The same, at full size, for a picture that the index has: its format was asked for once. */
image_limits ims_handle_item_limits(imgsearch *s);

/*
 * Enclose the decoding of a single picture. acquire waits while `threads` other pictures are being
 * decoded. ECANCELED, EDEADLINE: j was stopped meanwhile, and there is nothing to release.
 */
int ims_handle_decoder_acquire(imgsearch *s, const job *j, imgsearch_error *err);
void ims_handle_decoder_release(imgsearch *s);

#endif
