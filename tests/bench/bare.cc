/*
 * The least that a cold query of a new picture can cost: link libtorch, read a TorchScript file,
 * one forward pass.
 */
#include <torch/script.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	c10::InferenceMode inference;
	int64_t side = atoi(argv[2]);
	torch::jit::Module module = torch::jit::load(argv[1]);
	at::Tensor out = module.forward({ at::zeros({ 1, 3, side, side }) }).toTensor();
	printf("%g\n", out.flatten()[0].item<double>());
	return 0;
}
