"""Pictures of data, reconstructions, forecasts, latents and training; matplotlib is met in `canvas` alone."""
