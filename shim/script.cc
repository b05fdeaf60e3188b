/*
 * TorchScript files. A program is run as the network, or only its parameters are used for a network
 * of ours. TorchScript can compute whatever libtorch can, so such files must come from a trusted
 * source.
 */
#include "shim/network.h"

#include <torch/script.h>

namespace ims
{
namespace
{

class script_network : public script
{
  public:
	script_network(const char *path, const at::Device &device, at::ScalarType type)
		: module(torch::jit::load(path, device))
	{
		module.eval();
		module.to(type);
		/* Freezing inlines parameters. A module that cannot be frozen runs as it is. */
		if (module.find_method("forward"))
			try {
				module = torch::jit::freeze(module);
			} catch (const c10::Error &) {
			}
	}

	at::Tensor operator()(const at::Tensor &x) override
	{
		/* Profiling does not pay for a few runs. */
		torch::jit::GraphOptimizerEnabledGuard plain(false);
		c10::IValue out = module.forward({ x });
		if (!out.isTensor())
			throw failure(MODEL, "the TorchScript program does not give one tensor");
		at::Tensor y = out.toTensor().to(at::kFloat);
		if (y.dim() == 4)
			y = y.mean({ 2, 3 });
		if (y.dim() != 2 || y.size(0) != x.size(0))
			throw failure(MODEL,
				"the TorchScript program gives neither (n, dim) nor (n, channels, height, width)");
		return y;
	}

  private:
	torch::jit::Module module;
};

} // namespace

std::unique_ptr<script> load_script(const char *path, const at::Device &device, at::ScalarType type)
{
	return std::make_unique<script_network>(path, device, type);
}

script_tensors read_script(const char *path)
{
	static const std::pair<at::ScalarType, uint32_t> types[] = {
		{ at::kFloat, SHIM_F32 },
		{ at::kHalf, SHIM_F16 },
		{ at::kBFloat16, SHIM_BF16 },
		{ at::kLong, SHIM_I64 },
		{ at::kChar, SHIM_I8 },
	};
	script_tensors out;
	torch::jit::Module module = torch::jit::load(path, at::kCPU);
	auto add = [&](const std::string &name, const at::Tensor &t) {
		shim_tensor s{};
		for (auto &type : types)
			if (t.scalar_type() == type.first)
				s.dtype = type.second;
		if (!s.dtype || t.dim() > SHIM_MAX_NDIM)
			return;
		out.storage.push_back(t.contiguous());
		out.names.push_back(name);
		s.name = out.names.back().c_str();
		s.data = out.storage.back().data_ptr();
		s.ndim = (uint32_t)t.dim();
		std::copy(t.sizes().begin(), t.sizes().end(), s.shape);
		out.tensors.push_back(s);
	};
	for (const auto &p : module.named_parameters())
		add(p.name, p.value);
	for (const auto &b : module.named_buffers())
		add(b.name, b.value);
	return out;
}

} // namespace ims
