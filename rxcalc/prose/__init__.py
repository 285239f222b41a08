"""Rules as sentences, in English and Chinese: what a lawyer or a clerk reads instead of the policy language."""
