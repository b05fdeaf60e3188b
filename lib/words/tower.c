#include "words/tower.h"

#include "base/base.h"
#include "model/card.h"
#include "model/catalog.h"
#include "model/model.h"
#include "model/running_net.h"
#include "words/prompt.h"
#include "words/tokenizer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tower {
	running_net run;
	tokenizer *tokenizer;
	pthread_mutex_t lock;       /* of the thread of `run`: one batch at a time */
	size_t context, batch, dim; /* tokens of a text; texts of a batch; values of a feature */
	char text_template[TEMPLATE_ROOM];
	atomic_int references;
};

/* ------------------------------------------------------------------------------ vocabulary ---- */

static const char *const vocabularies[] = { "tokenizer.json", "vocab.json",
	"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt", "spiece.model",
	"tokenizer.model" };
enum { VOCABULARIES = sizeof vocabularies / sizeof *vocabularies };

static bool is_vocabulary(const char *name)
{
	for (size_t i = 0; i < VOCABULARIES; i++)
		if (!strcmp(name, vocabularies[i]))
			return true;
	return false;
}

static int no_vocabulary(const char *weights, imgsearch_error *err)
{
	const char *slash = strrchr(weights, '/');
	ims_fail(err, IMGSEARCH_EMODEL,
		"%.*s: the folder of the weights has no vocabulary for texts: no tokenizer.json, vocab.json"
		" (with merges.txt), bpe_simple_vocab_16e6.txt.gz, spiece.model or tokenizer.model",
		slash ? (int)(slash - weights) : 1, slash ? weights : ".");
	if (err)
		err->detail = ENOENT;
	return IMGSEARCH_EMODEL;
}

/* Place i to look at: "pets.tokenizer.json" and its like beside "pets.pth", then those without. */
static char *vocabulary_path(const char *weights, size_t i)
{
	const char *slash = strrchr(weights, '/'), *name = vocabularies[i % VOCABULARIES];
	if (i < VOCABULARIES)
		return ims_format("%.*s.%s", (int)ims_path_stem(weights), weights, name);
	return ims_format("%.*s%s", slash ? (int)(slash + 1 - weights) : 0, weights, name);
}

/* Opens the first vocabulary in the folder of the weights that is of a known kind. */
static int open_vocabulary(tower *t, const char *weights, tokenizer_style style,
	imgsearch_error *err)
{
	int rc = IMGSEARCH_ENOTFOUND;
	for (size_t i = 0; i < 2 * VOCABULARIES; i++) {
		char *path = vocabulary_path(weights, i);
		bool there = path && access(path, F_OK) == 0;
		if (!path)
			return ims_nomem(err);
		if (there)
			rc = ims_tokenizer_open(&t->tokenizer, path, style, err);
		ims_free(path);
		if (there && rc != IMGSEARCH_EUNSUPPORTED)
			return rc;
	}
	return rc == IMGSEARCH_ENOTFOUND ? no_vocabulary(weights, err) : rc;
}

int ims_tower_vocabulary_key(uint64_t *key, const char *weights, imgsearch_error *err)
{
	buf b = { 0 };
	struct stat st;
	for (size_t i = 0; !b.failed && i < 2 * VOCABULARIES; i++) {
		char *path = vocabulary_path(weights, i);
		b.failed |= !path;
		if (path && !stat(path, &st))
			ims_buf_text(&b, "%zu %lld %lld.%09ld\n", i, (long long)st.st_size,
				(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		ims_free(path);
	}
	int rc = b.failed ? ims_nomem(err) : 0;
	*key = rc ? 0 : ims_checksum(b.data, b.len, 0);
	ims_buf_free(&b);
	return rc;
}

/* Hugging Face's transformers name the tensors of the tower so. */
static tokenizer_style style_of(const weights *w)
{
	static const char prefix[] = "text_model.";
	for (size_t i = 0; i < w->n; i++)
		if (!strncmp(w->tensor[i].name, prefix, strlen(prefix)))
			return TOKENIZER_TRANSFORMERS;
	return TOKENIZER_OPEN_CLIP;
}

/* -------------------------------------------------------------------------------- support ---- */

typedef struct suggestion {
	char text[200];
	int n;
} suggestion;

static bool has_vocabulary(const published *p)
{
	bool has = false;
	for (size_t i = 0; i < p->n_files; i++)
		has |= is_vocabulary(p->files[i].name);
	return has;
}

bool ims_tower_lacks_vocabulary(const published *p)
{
	return ims_network_text_template(p->network) && !has_vocabulary(p);
}

/* Appends the name of such a model, of those to choose from first. */
static int suggest(void *user, const published *p)
{
	enum { NAMED = 3 };
	suggestion *s = user;
	size_t at = strlen(s->text);
	if (p->suggested && s->n < NAMED && ims_network_text_template(p->network)
		&& has_vocabulary(p)) {
		snprintf(s->text + at, sizeof s->text - at, "%s%s", s->n ? ", " : "", p->name);
		s->n++;
	}
	return 0;
}

int ims_tower_check(const model_identity *id, imgsearch_error *err)
{
	suggestion s = { "", 0 };
	if (ims_network_text_template(id->network))
		return 0;
	ims_published_each(suggest, &s, NULL);
	ims_fail(err, IMGSEARCH_EUNSUPPORTED, "the model %s cannot compare texts with pictures%s%s%s",
		id->name, s.n ? "; for example, " : "", s.text, s.n ? " can" : "");
	if (err)
		err->detail = EOPNOTSUPP;
	return IMGSEARCH_EUNSUPPORTED;
}

/* -------------------------------------------------------------------------------- loading ---- */

static int load_network(tower *t, const model_identity *id, const model_spec *spec,
	const weights *w, imgsearch_error *err)
{
	shim_message msg;
	int rc = ims_running_net_open(&t->run, id, spec, w, true, &msg, err);
	if (rc && msg.text[0])
		ims_fail(err, rc, "%s: its text tower cannot be loaded: %.399s", id->weights, msg.text);
	if (rc)
		return rc;
	size_t have = ims_tokenizer_size(t->tokenizer), most = t->run.shim->net_vocabulary(t->run.net);
	t->context = t->run.shim->net_context(t->run.net);
	t->batch = t->run.shim->net_batch(t->run.net);
	t->dim = t->run.shim->net_dim(t->run.net);
	if (have > most || have < most / 2) /* tables of embeddings may be filled up a little */
		return ims_fail(err, IMGSEARCH_EMODEL,
			"%s: the network knows %zu tokens, but the vocabulary beside it has %zu", id->weights,
			most, have);
	return 0;
}

int ims_tower_template(char text[TEMPLATE_ROOM], const model_identity *id, imgsearch_error *err)
{
	model_card card;
	imgsearch_error why;
	int rc = id->weights ? ims_card_read(&card, id->weights, &why) : IMGSEARCH_ENOTFOUND;
	bool own = !rc && card.template[0];
	snprintf(text, TEMPLATE_ROOM, "%s",
		own ? card.template : ims_network_text_template(id->network));
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : 0; /* a damaged card is not this one's error */
}

int ims_tower_load(tower **out, const model_identity *id, const model_spec *spec,
	imgsearch_error *err)
{
	weights w = { 0 };
	*out = NULL;
	int rc = ims_tower_check(id, err);
	tower *t = rc ? NULL : ims_zalloc(1, sizeof *t);
	if (rc || !t)
		return rc ? rc : ims_nomem(err);
	atomic_store(&t->references, 1);
	pthread_mutex_init(&t->lock, NULL);
	rc = ims_tower_template(t->text_template, id, err);
	if (!rc)
		rc = ims_weights_open(&w, id->weights, err);
	if (!rc)
		rc = ims_model_check_program(id->weights, spec->name, &w, err);
	if (!rc)
		rc = open_vocabulary(t, id->weights, style_of(&w), err);
	if (!rc)
		rc = load_network(t, id, spec, &w, err);
	ims_weights_free(&w);
	if (rc)
		ims_tower_free(t);
	else
		*out = t;
	return rc;
}

tower *ims_tower_acquire(tower *t)
{
	atomic_fetch_add(&t->references, 1);
	return t;
}

void ims_tower_free(tower *t)
{
	if (!t || atomic_fetch_sub(&t->references, 1) > 1)
		return;
	ims_running_net_close(&t->run);
	ims_tokenizer_free(t->tokenizer);
	pthread_mutex_destroy(&t->lock);
	ims_free(t);
}

/* -------------------------------------------------------------------------------- running ---- */

/* A batch of texts on its way through the network. */
typedef struct run_task {
	const tower *t;
	int32_t *tokens; /* (n, context) */
	uint32_t *used;
	size_t n;
	float *out;
	shim_message msg;
	int rc;
} run_task;

static void run(void *arg)
{
	run_task *r = arg;
	r->rc = r->t->run.shim->net_run_words(r->t->run.net, r->tokens, r->used, r->n, r->out, &r->msg);
}

static int cut(const tower *t, const char *text_template, const char *text, int32_t *tokens,
	uint32_t *used, imgsearch_error *err)
{
	size_t n = 0;
	char *prompt = ims_prompt_make(text_template ? text_template : t->text_template, text);
	int rc = prompt ? ims_tokenizer_encode(t->tokenizer, prompt, tokens, t->context, &n, err)
					: ims_nomem(err);
	*used = (uint32_t)n;
	ims_free(prompt);
	return rc;
}

static int run_batch(tower *t, run_task *r, imgsearch_error *err)
{
	pthread_mutex_lock(&t->lock);
	ims_pool_run(t->run.thread, run, r);
	ims_pool_wait(t->run.thread);
	pthread_mutex_unlock(&t->lock);
	if (r->rc)
		return ims_fail(err, r->rc, "the network failed: %s", r->msg.text);
	for (size_t i = 0; i < r->n; i++)
		if (!ims_is_feature(r->out + i * t->dim, t->dim))
			return ims_fail(err, IMGSEARCH_EMODEL,
				"the network gives no feature for this text: not finite, or all zeros");
	return 0;
}

int ims_tower_run(tower *t, const char *text_template, const char *const *texts, size_t n,
	float *out, imgsearch_error *err)
{
	size_t most = n < t->batch ? n : t->batch;
	run_task r = { .t = t,
		.tokens = ims_alloc(most, t->context * sizeof *r.tokens),
		.used = ims_alloc(most, sizeof *r.used) };
	int rc = r.tokens && r.used ? 0 : ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += r.n) {
		r.n = n - at < most ? n - at : most;
		r.out = out + at * t->dim;
		for (size_t i = 0; !rc && i < r.n; i++)
			rc = cut(t, text_template, texts[at + i], r.tokens + i * t->context, &r.used[i], err);
		if (!rc)
			rc = run_batch(t, &r, err);
	}
	ims_free(r.tokens);
	ims_free(r.used);
	return rc;
}
