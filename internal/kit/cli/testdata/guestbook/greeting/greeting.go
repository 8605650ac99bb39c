// Package greeting is no command: an image cannot be made of it.
package greeting

// Text is what the commands say.
const Text = "hello"
