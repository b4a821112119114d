"""Operations of nets: tensors in, tensors out, equation cited. No config."""
