"""Encoders, bundles, and how bundles are trained and measured."""
