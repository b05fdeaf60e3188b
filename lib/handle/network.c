/* Decides the identity as the first picture would, and looks for the shim; loads neither. */
#include "handle/network.h"

#include "handle/model_choice.h"
#include "model/shim_load.h"

int ims_network(imgsearch *s, imgsearch_network **out, imgsearch_error *err)
{
	identity id = { 0 };
	imgsearch_error why = { 0 };
	imgsearch_network *n = ims_result_new(sizeof *n);
	if (!n)
		return ims_nomem(err);
	int rc = ims_identity_decide(s, IDENTITY_EXTRACT, &id, &why);
	n->usable = !rc && !ims_shim_find(&why);
	if (!rc) {
		n->model = ims_result_text(n, id.model.name);
		n->weights = ims_result_text(n, id.model.weights);
		n->dim = id.model.dim;
		n->loaded = ims_handle_network_loaded(s, &id.model);
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
