/* Decides the identity as the first picture would, and looks for the shim; loads neither. */
#include "handle/network.h"

#include "handle/model_choice.h"
#include "model/shim_load.h"

#include <string.h>

/* libtorch has every CPU; which GPU there is, it alone knows. */
static bool needs_gpu(const imgsearch *s)
{
	return s->options.device && !strncmp(s->options.device, "cuda", 4);
}

int ims_network(imgsearch *s, imgsearch_network **out, imgsearch_error *err)
{
	identity id = { 0 };
	imgsearch_error why = { 0 };
	imgsearch_network *n = ims_result_new(sizeof *n);
	if (!n)
		return ims_nomem(err);
	int rc = ims_identity_decide(s, IDENTITY_EXTRACT, &id, &why);
	bool decided = !rc;
	if (decided)
		ims_handle_network_why_not(s, &id.model, &why);
	n->usable = decided && !why.code && !ims_shim_find(&why);
	if (decided) {
		n->model = ims_result_text(n, id.model.name);
		n->weights = ims_result_text(n, id.model.weights);
		n->dim = id.model.dim;
		n->words = !ims_tower_check(&id.model, NULL);
		n->loaded = ims_handle_network_loaded(s, &id.model);
		n->device_known = n->loaded || !needs_gpu(s);
	}
	if (!n->usable)
		n->why_not = ims_result_text(n, why.message);
	pthread_mutex_lock(&s->network_lock);
	if (s->network)
		n->runtime = ims_result_text(n, ims_model_describe(s->network));
	pthread_mutex_unlock(&s->network_lock);
	ims_identity_free(&id);
	if (rc == IMGSEARCH_ENOMEM) {
		ims_result_free(n);
		return ims_nomem(err);
	}
	*out = n;
	return 0;
}

void imgsearch_network_free(imgsearch_network *network)
{
	ims_result_free(network);
}
