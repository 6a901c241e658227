"""The command `kairos`: everything a person does with the product."""
