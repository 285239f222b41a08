"""How a plan is held in columns of whole numbers: one walk serves the layout and the columnar back end."""
