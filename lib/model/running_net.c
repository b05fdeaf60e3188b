#include "model/running_net.h"

#include <stdio.h>

typedef struct load_task {
	running_net *to;
	const char *program;
	const weights *w;
	shim_config config;
	shim_message *msg;
	int rc;
} load_task;

static void load(void *arg)
{
	load_task *l = arg;
	l->rc = l->to->shim->net_new(&l->to->net, &l->config, l->w->tensor, l->w->n, l->program,
		l->msg);
}

int ims_running_net_open(running_net *n, const model_identity *id, const model_spec *spec,
	const weights *w, bool words, shim_message *msg, imgsearch_error *err)
{
	msg->text[0] = '\0';
	n->threads = spec->threads ? spec->threads : ims_cpu_count();
	int rc = ims_shim_load(&n->shim, err);
	if (!rc)
		rc = ims_pool_new(&n->thread, 1, 1, err);
	if (rc)
		return rc;
	load_task l = {
		.to = n,
		.program = w->script ? id->weights : NULL,
		.w = w,
		.config = {
			.network = id->network,
			.device = spec->device ? spec->device : "auto",
			.bf16 = id->precision == IMGSEARCH_PRECISION_BF16,
			.threads = n->threads,
			.crop = id->recipe.crop,
			.dim = id->dim,
			.pooling = words ? SHIM_POOLING_OWN : id->pooling,
			.words = words,
		},
		.msg = msg,
	};
	ims_pool_run(n->thread, load, &l);
	ims_pool_wait(n->thread);
	if (l.rc && !msg->text[0])
		snprintf(msg->text, sizeof msg->text, "no reason is given");
	return l.rc;
}

void ims_running_net_close(running_net *n)
{
	ims_pool_free(n->thread);
	if (n->net)
		n->shim->net_free(n->net);
	*n = (running_net){ 0 };
}
