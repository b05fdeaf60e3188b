/* The table of functions and inference. */
#define IMS_SHIM_IMPLEMENTATION
#include "shim/device.h"
#include "shim/guard.h"
#include "shim/train.h"
#include "shim/words.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

extern "C" void sgemm_() __attribute__((weak)); /* only its address is used, by blas_name */

struct shim_net {
	std::unique_ptr<ims::network> network;
	std::unique_ptr<ims::script> script; /* one of both is NULL */
	ims::words *words = nullptr;         /* the network where it is a text tower */
	at::Device device = at::kCPU;
	at::ScalarType type = at::kFloat;
	int threads = 0;
	int64_t crop = 0, dim = 0;
	bool many_units = false;
};

namespace
{

using ims::guard, ims::choose_device, ims::MODEL;

/* libtorch has a number of its own for each thread that calls it. */
void use_threads(int threads)
{
	if (at::get_num_threads() != threads)
		at::set_num_threads(threads);
}

/* (n, crop, crop, 3) in memory is (n, 3, crop, crop) channels last. */
at::Tensor as_input(const shim_net &net, const float *in, size_t n)
{
	at::Tensor x = at::from_blob(const_cast<float *>(in), { (int64_t)n, net.crop, net.crop, 3 },
		at::TensorOptions(at::kFloat))
					   .permute({ 0, 3, 1, 2 });
	return x.to(net.device, net.type);
}

at::Tensor forward(const shim_net &net, const at::Tensor &x)
{
	return net.script ? (*net.script)(x) : (*net.network)(x);
}

void give(const shim_net &net, const at::Tensor &y, float *out)
{
	at::from_blob(out, { y.size(0), net.dim }, at::TensorOptions(at::kFloat)).copy_(y);
}

void build_network(shim_net &net, const shim_config &c, const shim_tensor *tensors, size_t n,
	const char *script)
{
	if (c.words) {
		auto words = ims::make_words(c.network);
		net.words = words.get();
		net.network = std::move(words);
	} else {
		net.network = ims::make_network(c.network);
	}
	ims::script_tensors own;
	if (script)
		own = ims::read_script(script);
	net.network->load(script ? own.tensors.data() : tensors, script ? own.tensors.size() : n);
	if (!c.words) {
		net.network->choose_pooling(c.pooling);
		net.network->set_side(net.crop);
	}
	net.network->fold(net.device, net.type);
	net.dim = net.network->dim();
}

void build(shim_net &net, const shim_config &c, const shim_tensor *tensors, size_t n,
	const char *script)
{
	net.device = choose_device(c.device);
	net.type = c.bf16 ? at::kBFloat16 : at::kFloat;
	net.threads = c.threads ? (int)c.threads : at::get_num_threads();
	net.crop = c.crop;
	at::set_num_threads(1); /* folding consists of many short loops, in which threads mostly wait */
	if (!strcmp(c.network, "script")) {
		if (c.words)
			throw ims::failure(ims::UNSUPPORTED, "a TorchScript program has no text tower");
		if (!script)
			throw ims::failure(MODEL,
				"not a TorchScript file, and no network is named for the weights");
		use_threads(net.threads);
		net.script = ims::load_script(script, net.device, net.type);
		net.dim = forward(net,
			at::zeros({ 1, 3, net.crop, net.crop }, at::TensorOptions(net.type).device(net.device)))
					  .size(1);
	} else {
		build_network(net, c, tensors, n, script);
	}
	if (c.dim && net.dim != c.dim)
		throw ims::failure(MODEL,
			"the feature has " + std::to_string(net.dim) + " values, not the "
				+ std::to_string(c.dim) + " it should");
}

int net_new(shim_net **out, const shim_config *c, const shim_tensor *tensors, size_t n,
	const char *script, shim_message *msg) noexcept
{
	*out = nullptr;
	return guard(msg, [&] {
		c10::InferenceMode inference;
		auto net = std::make_unique<shim_net>();
		build(*net, *c, tensors, n, script);
		*out = net.release();
	});
}

void net_free(shim_net *net) noexcept
{
	shim_message msg;
	guard(&msg, [&] { delete net; });
}

int net_find(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
	const char *script, uint8_t *fits, shim_message *msg) noexcept
{
	return guard(msg, [&] {
		c10::InferenceMode inference;
		ims::script_tensors own;
		std::string nearest;
		if (script)
			own = ims::read_script(script);
		ims::find_networks(names, n_names, script ? own.tensors.data() : tensors,
			script ? own.tensors.size() : n, fits, nearest);
		if (!nearest.empty())
			throw ims::failure(MODEL, nearest);
	});
}

uint32_t net_dim(const shim_net *net) noexcept
{
	return (uint32_t)net->dim;
}

int net_run(shim_net *net, const float *in, size_t n, uint32_t threads, float *out,
	shim_message *msg) noexcept
{
	return guard(msg, [&] {
		c10::InferenceMode inference;
		use_threads(threads ? (int)threads : net->threads);
		if (net->words)
			throw ims::failure(ims::INVALID, "a text tower takes no pictures");
		give(*net, forward(*net, as_input(*net, in, n)), out);
	});
}

int net_run_words(shim_net *net, const int32_t *tokens, const uint32_t *used, size_t n, float *out,
	shim_message *msg) noexcept
{
	return guard(msg, [&] {
		c10::InferenceMode inference;
		if (!net->words)
			throw ims::failure(ims::INVALID, "this network takes no words");
		use_threads(net->threads);
		at::Tensor y = forward(*net, net->words->input(tokens, used, n).to(net->device));
		give(*net, y, out);
	});
}

uint32_t net_context(const shim_net *net) noexcept
{
	return net->words ? (uint32_t)net->words->context : 0;
}

uint32_t net_vocabulary(const shim_net *net) noexcept
{
	return net->words ? (uint32_t)net->words->vocabulary : 0;
}

uint32_t net_concurrency(const shim_net *net) noexcept
{
	return net->device.is_cpu() ? (uint32_t)net->threads : 1;
}

size_t net_batch(const shim_net *net) noexcept
{
	/* A large input fills the caches alone; a GPU needs many to be busy. */
	if (net->device.is_cuda())
		return net->crop > 300 ? 32 : 128;
	return net->crop > 400 ? 2 : net->crop > 256 ? 4 : 8;
}

const char *blas_name()
{
	Dl_info info;
	if (at::hasMKL())
		return "MKL";
	if (!sgemm_ || !dladdr((void *)sgemm_, &info) || !info.dli_fname)
		return "unknown BLAS";
	char real[4096];
	const char *path = realpath(info.dli_fname, real) ? real : info.dli_fname;
	return strstr(path, "openblas") ? "OpenBLAS"
		: strstr(path, "blis")      ? "BLIS"
		: strstr(path, "atlas")     ? "ATLAS"
		: strstr(path, "mkl")       ? "MKL"
		: strstr(path, "libtorch")  ? "libtorch's BLAS"
									: "reference BLAS";
}

void net_describe(const shim_net *net, char *text, size_t size) noexcept
{
	shim_message msg;
	guard(&msg, [&] {
		snprintf(text, size, "libtorch %s, %s, %s, %s", TORCH_VERSION, blas_name(),
			net->device.str().c_str(), net->type == at::kBFloat16 ? "bf16" : "f32");
	});
}

const shim_table table = {
	IMS_SHIM_ABI,
	sizeof table,
	net_new,
	net_free,
	net_find,
	net_dim,
	net_run,
	net_run_words,
	net_context,
	net_vocabulary,
	net_concurrency,
	net_batch,
	net_describe,
	&ims::training,
};

} // namespace

extern "C" const shim_table *ims_shim(uint32_t abi)
{
	return abi == IMS_SHIM_ABI ? &table : nullptr;
}
