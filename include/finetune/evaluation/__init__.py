"""What an evaluation says about answers and models; standard library only, for it runs beside the model, too."""
